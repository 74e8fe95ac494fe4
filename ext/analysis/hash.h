/* hash.h: which place does a value take in an order that looks random, and is the same everywhere?
**
** XXH64 (Yann Collet, xxHash specification 0.1.1, "XXH64 algorithm description"): 64 bits, seeded,
** made of additions, multiplications and rotations of 64-bit words that are read as little-endian,
** so that every machine gets the same. It passes SMHasher's tests of avalanche and bias. It is no
** cryptographic hash: who chooses keys knowing the seed can choose their places.
*/
#ifndef MLF_ANALYSIS_HASH_H
#define MLF_ANALYSIS_HASH_H

#include <stddef.h>
#include <stdint.h>

/* XXH64 of `length` bytes, which may be 0 with `bytes` NULL. */
uint64_t mlf_hash_bytes(const void *bytes, size_t length, uint64_t seed);

#endif
