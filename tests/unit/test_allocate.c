/* test_allocate.c: what analysis/allocate.h promises. */
#include "analysis/allocate.h"

#include <string.h>

#include "oom.h"

#define STRATA_MAX 8

typedef struct allocation {
  mlf_allocate_rule rule;
  int64_t size;
  int64_t populations[STRATA_MAX]; /* ended by 0 */
  int64_t given[STRATA_MAX];
  int64_t capacities[STRATA_MAX]; /* 0 for the population, as far as it is not above the size */
} allocation;

static void allocate_gives_by_its_rules(void **state) {
  (void)state;
  static const allocation cases[] = {
      {MLF_ALLOCATE_EQUAL, 50, {1000, 1000, 1000, 1000}, {13, 13, 12, 12}, {0}},
      {MLF_ALLOCATE_EQUAL, 50, {100, 400, 300, 200}, {12, 13, 13, 12}, {0}},
      {MLF_ALLOCATE_EQUAL, 50, {6, 28, 16, 130, 520, 300}, {6, 9, 8, 9, 9, 9}, {0}},
      {MLF_ALLOCATE_EQUAL, 10, {1, 2, 100}, {1, 2, 7}, {0}},
      {MLF_ALLOCATE_EQUAL, 10, {3, 4}, {3, 4}, {0}},
      {MLF_ALLOCATE_EQUAL, 2, {5, 7, 7, 9}, {0, 1, 0, 1}, {0}},
      {MLF_ALLOCATE_EQUAL, 0, {5, 7}, {0, 0}, {0}},
      {MLF_ALLOCATE_EQUAL, 10, {1000, 1000}, {2, 8}, {2, 10}},
      {MLF_ALLOCATE_PROPORTIONAL, 50, {500, 300, 200}, {25, 15, 10}, {0}},
      {MLF_ALLOCATE_PROPORTIONAL, 10, {100, 100, 100}, {4, 3, 3}, {0}},
      {MLF_ALLOCATE_PROPORTIONAL, 10, {416, 338, 246}, {4, 3, 3}, {0}}, /* 4.16, 3.38, 2.46 */
      {MLF_ALLOCATE_PROPORTIONAL, 10, {9990, 5, 5}, {8, 1, 1}, {0}},
      {MLF_ALLOCATE_PROPORTIONAL, 10, {8000, 1000, 900, 100}, {7, 1, 1, 1}, {0}},
      {MLF_ALLOCATE_PROPORTIONAL, 4, {8000, 1000, 900, 100}, {1, 1, 1, 1}, {0}},
      {MLF_ALLOCATE_PROPORTIONAL, 3, {8000, 1000, 900, 1000}, {1, 1, 0, 1}, {0}},
      {MLF_ALLOCATE_PROPORTIONAL, 10, {3, 4}, {3, 4}, {0}},
      {MLF_ALLOCATE_PROPORTIONAL, 0, {3, 4}, {0, 0}, {0}},
      {MLF_ALLOCATE_PROPORTIONAL, 100, {1000, 100, 10}, {2, 89, 9}, {2, 100, 10}},
      {MLF_ALLOCATE_PROPORTIONAL, 100, {1000, 100, 10}, {2, 3, 10}, {2, 3, 10}},
      {MLF_ALLOCATE_PATTERN6, 50, {1000, 1000, 1000, 1000}, {12, 12, 12, 12}, {0}},
      {MLF_ALLOCATE_PATTERN6, 50, {1000, 5, 1000, 1000}, {12, 5, 12, 12}, {0}},
      {MLF_ALLOCATE_PATTERN6, 3, {1, 1, 1, 1}, {0, 0, 0, 0}, {0}},
  };
  for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++) {
    mlf_allocate_stratum strata[STRATA_MAX] = {{0}};
    size_t count = 0;
    for (; cases[c].populations[count]; count++) {
      int64_t capacity = cases[c].capacities[count];
      strata[count].population = cases[c].populations[count];
      if (capacity == 0) capacity = strata[count].population;
      strata[count].capacity = capacity < cases[c].size ? capacity : cases[c].size;
    }
    assert_int_equal(mlf_allocate_run(cases[c].rule, cases[c].size, strata, count), SQLITE_OK);
    for (size_t i = 0; i < count; i++) {
      if (strata[i].given != cases[c].given[i]) print_error("case %zu stratum %zu\n", c, i);
      assert_int_equal(strata[i].given, cases[c].given[i]);
    }
  }
}

static uint64_t allocate_test_seed = 1234567;

static int64_t random_below(int64_t bound) {
  allocate_test_seed ^= allocate_test_seed << 13;
  allocate_test_seed ^= allocate_test_seed >> 7;
  allocate_test_seed ^= allocate_test_seed << 17;
  return (int64_t)(allocate_test_seed % (uint64_t)bound);
}

/* What holds for all: no more than there is, the exact total, someone from each stratum if the size
** allows, equal shares or, where keys came once, quotas within one of their share. */
static void allocate_totals_are_exact(void **state) {
  (void)state;
  enum { STRATA = 40 };
  for (int round = 0; round < 20000; round++) {
    mlf_allocate_stratum strata[STRATA] = {{0}};
    size_t count = (size_t)random_below(STRATA) + 1;
    int64_t size = random_below(random_below(3) ? 60 : 2000);
    int64_t available = 0;
    for (size_t i = 0; i < count; i++) {
      strata[i].population = 1 + random_below((int64_t)1 << random_below(37));
      int64_t capacity = strata[i].population < size ? strata[i].population : size;
      if (capacity > 1 && random_below(4) == 0) capacity = 1 + random_below(capacity);
      strata[i].capacity = capacity;
      available += capacity;
    }
    int64_t total = size < available ? size : available;
    for (int rule = MLF_ALLOCATE_EQUAL; rule <= MLF_ALLOCATE_PROPORTIONAL; rule++) {
      assert_int_equal(mlf_allocate_run((mlf_allocate_rule)rule, size, strata, count), SQLITE_OK);
      int64_t sum = 0;
      int64_t most = 0;
      for (size_t i = 0; i < count; i++) {
        assert_in_range(strata[i].given, 0, strata[i].capacity);
        if (size >= (int64_t)count) assert_true(strata[i].given >= 1);
        if (strata[i].given > most) most = strata[i].given;
        sum += strata[i].given;
      }
      assert_int_equal(sum, total);
      for (size_t i = 0; rule == MLF_ALLOCATE_EQUAL && i < count; i++)
        assert_true(strata[i].given == strata[i].capacity || strata[i].given >= most - 1);
    }
  }
}

/* Quotas above one are kept to within one, where neither the minimum nor a capacity interferes. */
static void allocate_keeps_to_the_quota(void **state) {
  (void)state;
  for (int round = 0; round < 5000; round++) {
    mlf_allocate_stratum strata[10];
    int64_t population = 0;
    for (size_t i = 0; i < 10; i++) {
      strata[i] = (mlf_allocate_stratum){.population = 1000 + random_below(4000)};
      population += strata[i].population;
    }
    int64_t size = 60 + random_below(500);
    for (size_t i = 0; i < 10; i++)
      strata[i].capacity = strata[i].population < size ? strata[i].population : size;
    assert_int_equal(mlf_allocate_run(MLF_ALLOCATE_PROPORTIONAL, size, strata, 10), SQLITE_OK);
    for (size_t i = 0; i < 10; i++) {
      int64_t quota = size * strata[i].population / population;
      assert_in_range(strata[i].given, quota, quota + 1);
    }
  }
}

static void allocate_reaches_its_limits(void **state) {
  (void)state;
  mlf_allocate_stratum strata[2] = {{((int64_t)1 << 43) - 1, 1000000, 0}, {1, 1, 0}};
  assert_int_equal(mlf_allocate_run(MLF_ALLOCATE_PROPORTIONAL, 1000000, strata, 2), SQLITE_OK);
  assert_int_equal(strata[0].given, 999999);
  assert_int_equal(strata[1].given, 1);
  assert_int_equal(mlf_allocate_run(MLF_ALLOCATE_EQUAL, 5, NULL, 0), SQLITE_OK);
}

static void allocate_knows_its_names(void **state) {
  (void)state;
  mlf_allocate_rule rule;
  for (int i = MLF_ALLOCATE_EQUAL; i <= MLF_ALLOCATE_PATTERN6; i++) {
    assert_true(mlf_allocate_read(mlf_allocate_name((mlf_allocate_rule)i), &rule));
    assert_int_equal(rule, i);
  }
  assert_true(mlf_allocate_read("EQUAL", &rule));
  assert_false(mlf_allocate_read("", &rule));
  assert_false(mlf_allocate_read("neyman", &rule));
}

static int allocate_some(void *context) {
  mlf_allocate_stratum strata[2] = {{10, 5, 0}, {10, 5, 0}};
  (void)context;
  return mlf_allocate_run(MLF_ALLOCATE_EQUAL, 5, strata, 2);
}

static void allocate_without_memory_is_nomem(void **state) {
  (void)state;
  assert_int_equal(oom_loop(allocate_some, NULL), 0);
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(allocate_gives_by_its_rules),
      cmocka_unit_test(allocate_totals_are_exact),
      cmocka_unit_test(allocate_keeps_to_the_quota),
      cmocka_unit_test(allocate_reaches_its_limits),
      cmocka_unit_test(allocate_knows_its_names),
      cmocka_unit_test(allocate_without_memory_is_nomem),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
