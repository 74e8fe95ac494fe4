/* test_hash.c: what analysis/hash.h promises. */
#include "analysis/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Computed with the reference implementation (xxhash 0.8 through Python's xxhash 4.1.0), over the
** bytes (7 i + 3) mod 256. The first is in the specification, too. */
static void hash_is_xxh64(void **state) {
  (void)state;
  static const struct {
    size_t length;
    uint64_t seed_0;
    uint64_t seed_1;
  } cases[] = {
      {0, 0xef46db3751d8e999, 0xade95dcf3a66e402},   {1, 0x1f25c8d0bc1f4bb6, 0x0145804542aec196},
      {3, 0x31d2363f52e564c9, 0x0325171dd3f75105},   {4, 0x9bb64b7d66ee9fda, 0xdc50873b41a58255},
      {7, 0x9a7b149959ce60d8, 0x7fb13355b5637bd2},   {8, 0xdab99d95c6f90092, 0xb4df6eadbacafbe3},
      {9, 0x170bb6bf975b4c02, 0x27271e1f85a2a1f3},   {31, 0xa2aa5f33cc4a6119, 0x3116d54075846094},
      {32, 0x23c3c17ef790fd97, 0x402c38b1fdcba92d},  {33, 0x50a7cfc7ba588784, 0x93bbe50f99f8f4a9},
      {63, 0x5e3e54b431c7493c, 0x1a8975715b18bc3b},  {64, 0x0eb64b3ef6eeb01f, 0x63dcca462f48f36b},
      {100, 0xa61f8d4c170fe531, 0x37ec719b3e3b2fe4}, {200, 0xa6cb3c09bc829b24, 0xf6f560da329be5f5},
  };
  unsigned char bytes[201];
  for (size_t i = 0; i < sizeof(bytes) - 1; i++)
    bytes[i + 1] = (unsigned char)(7 * i + 3);
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    /* From an odd address, too. */
    assert_true(mlf_hash_bytes(bytes + 1, cases[i].length, 0) == cases[i].seed_0);
    assert_true(mlf_hash_bytes(bytes + 1, cases[i].length, 0x9E3779B1F00DF00D) == cases[i].seed_1);
  }
  assert_true(mlf_hash_bytes(NULL, 0, 0) == cases[0].seed_0);
}

/* One bit of a key or of the seed turns each bit of the result in about half of the cases. */
static void hash_spreads_every_bit(void **state) {
  (void)state;
  enum { KEYS = 2000 };
  for (int bit = 0; bit < 128; bit++) {
    int turned[64] = {0};
    for (uint64_t i = 0; i < KEYS; i++) {
      uint64_t key = i;
      uint64_t seed = 42;
      uint64_t before = mlf_hash_bytes(&key, sizeof(key), seed);
      if (bit < 64)
        key ^= (uint64_t)1 << bit;
      else
        seed ^= (uint64_t)1 << (bit - 64);
      uint64_t change = before ^ mlf_hash_bytes(&key, sizeof(key), seed);
      for (int j = 0; j < 64; j++)
        turned[j] += (int)(change >> j & 1);
    }
    /* Six standard deviations of a fair coin: 0.5 +- 0.067. */
    for (int j = 0; j < 64; j++)
      assert_in_range(turned[j], 0.433 * KEYS, 0.567 * KEYS);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hash_is_xxh64),
      cmocka_unit_test(hash_spreads_every_bit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
