/* hash.h: which place has a value in an order that looks random, and that every machine has?
**
** XXH64 (Yann Collet, xxHash specification 0.1.1, "XXH64 algorithm description"): 64 bits, with
** a seed. It adds, multiplies and rotates 64-bit words, which it reads as little-endian, so that
** every machine gets the same result. It passes SMHasher's tests of avalanche and bias. It is not a
** cryptographic hash: who knows the seed can choose keys that get the places wanted.
*/
#ifndef MLF_ANALYSIS_HASH_H
#define MLF_ANALYSIS_HASH_H

#include <stddef.h>
#include <stdint.h>

/* XXH64 of `length` bytes, which may be 0 with `bytes` NULL. */
uint64_t mlf_hash_bytes(const void *bytes, size_t length, uint64_t seed);

#endif
