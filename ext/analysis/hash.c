#include "analysis/hash.h"

static const uint64_t hash_prime_1 = 0x9E3779B185EBCA87;
static const uint64_t hash_prime_2 = 0xC2B2AE3D27D4EB4F;
static const uint64_t hash_prime_3 = 0x165667B19E3779F9;
static const uint64_t hash_prime_4 = 0x85EBCA77C2B2AE63;
static const uint64_t hash_prime_5 = 0x27D4EB2F165667C5;

static uint64_t hash_rotate(uint64_t word, int bits) {
  return word << bits | word >> (64 - bits);
}

static uint64_t hash_read_32(const unsigned char *at) {
  return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24;
}

static uint64_t hash_read_64(const unsigned char *at) {
  return hash_read_32(at) | hash_read_32(at + 4) << 32;
}

static uint64_t hash_round(uint64_t lane, uint64_t word) {
  return hash_rotate(lane + word * hash_prime_2, 31) * hash_prime_1;
}

static uint64_t hash_merge(uint64_t hash, uint64_t lane) {
  return (hash ^ hash_round(0, lane)) * hash_prime_1 + hash_prime_4;
}

/* Four lanes over blocks of 32 bytes; `*at` is moved behind the last whole block. The lanes have
** names, not indexes, so that they stay in registers. */
static uint64_t hash_blocks(const unsigned char **at, const unsigned char *end, uint64_t seed) {
  uint64_t a = seed + hash_prime_1 + hash_prime_2;
  uint64_t b = seed + hash_prime_2;
  uint64_t c = seed;
  uint64_t d = seed - hash_prime_1;
  for (; end - *at >= 32; *at += 32) {
    a = hash_round(a, hash_read_64(*at));
    b = hash_round(b, hash_read_64(*at + 8));
    c = hash_round(c, hash_read_64(*at + 16));
    d = hash_round(d, hash_read_64(*at + 24));
  }
  uint64_t hash = hash_rotate(a, 1) + hash_rotate(b, 7) + hash_rotate(c, 12) + hash_rotate(d, 18);
  return hash_merge(hash_merge(hash_merge(hash_merge(hash, a), b), c), d);
}

uint64_t mlf_hash_bytes(const void *bytes, size_t length, uint64_t seed) {
  if (length == 0) bytes = "";
  const unsigned char *at = bytes;
  const unsigned char *end = at + length;
  uint64_t hash = length >= 32 ? hash_blocks(&at, end, seed) : seed + hash_prime_5;
  hash += length;
  for (; end - at >= 8; at += 8)
    hash = hash_rotate(hash ^ hash_round(0, hash_read_64(at)), 27) * hash_prime_1 + hash_prime_4;
  if (end - at >= 4) {
    hash = hash_rotate(hash ^ hash_read_32(at) * hash_prime_1, 23) * hash_prime_2 + hash_prime_3;
    at += 4;
  }
  for (; at < end; at++)
    hash = hash_rotate(hash ^ *at * hash_prime_5, 11) * hash_prime_1;
  hash = (hash ^ hash >> 33) * hash_prime_2;
  hash = (hash ^ hash >> 29) * hash_prime_3;
  return hash ^ hash >> 32;
}
