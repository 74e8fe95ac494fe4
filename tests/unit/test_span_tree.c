/* test_span_tree.c: what model/span_tree.h promises. */
#include "model/span_tree.h"

#include <string.h>
#include <unistd.h>

#include "oom.h"

#define SECOND 1000000000LL
#define LATE   1790000000123456789LL /* a time of today: doubles would lose its last digits */
#define ROOT   MLF_SPAN_NO_PARENT
#define MANY   400000

/* A span from `start` to `end`, counted from LATE. */
static mlf_span_node span_of(size_t parent, int64_t start, int64_t end) {
  return (mlf_span_node){
      .parent = parent, .start_ns = LATE + start, .end_ns = LATE + end, .ended = true};
}

static void tree_measures(mlf_span_node *nodes, size_t count) {
  assert_int_equal(mlf_span_tree_measure(nodes, count), SQLITE_OK);
}

static void node_is(const mlf_span_node *node, size_t depth, size_t children, int64_t self_ns,
                    int64_t critical_ns) {
  assert_int_equal(node->depth, depth);
  assert_int_equal(node->child_count, children);
  assert_int_equal(node->self_ns, self_ns);
  assert_int_equal(node->critical_ns, critical_ns);
}

static void what_runs_side_by_side_counts_once(void **state) {
  (void)state;
  mlf_span_node nodes[6] = {span_of(ROOT, 0, 10 * SECOND)};
  for (size_t i = 1; i < 6; i++)
    nodes[i] = span_of(0, 2 * SECOND, 8 * SECOND);
  tree_measures(nodes, 6);
  node_is(&nodes[0], 0, 5, 4 * SECOND, 4 * SECOND);
  node_is(&nodes[1], 1, 0, 6 * SECOND, 6 * SECOND); /* one of equals is waited for */
  for (size_t i = 2; i < 6; i++)
    node_is(&nodes[i], 1, 0, 6 * SECOND, 0);
}

static void children_back_to_back_are_both_on_the_path(void **state) {
  (void)state;
  mlf_span_node nodes[] = {span_of(ROOT, 0, 100), span_of(0, 0, 50), span_of(0, 50, 100)};
  tree_measures(nodes, 3);
  node_is(&nodes[0], 0, 2, 0, 0);
  node_is(&nodes[1], 1, 0, 50, 50);
  node_is(&nodes[2], 1, 0, 50, 50);
}

static void what_is_outside_of_the_parent_is_cut(void **state) {
  (void)state;
  /* The clocks differ: one child began before its parent, one ended after it, one is apart. */
  mlf_span_node nodes[] = {span_of(0, 0, 0), span_of(ROOT, 10, 100), span_of(1, 90, 300),
                           span_of(1, 200, 250)};
  nodes[0] = span_of(1, 0, 30);
  tree_measures(nodes, 4);
  node_is(&nodes[1], 0, 3, 60, 60);
  node_is(&nodes[0], 1, 0, 30, 20); /* its own time is whole, its part of the path is not */
  node_is(&nodes[2], 1, 0, 210, 10);
  node_is(&nodes[3], 1, 0, 50, 0);
}

static void a_child_that_was_not_waited_for_is_off_the_path(void **state) {
  (void)state;
  mlf_span_node nodes[] = {span_of(ROOT, 0, 10), span_of(0, 0, 8), span_of(0, 5, 10)};
  tree_measures(nodes, 3);
  node_is(&nodes[0], 0, 2, 0, 5);
  node_is(&nodes[1], 1, 0, 8, 0);
  node_is(&nodes[2], 1, 0, 5, 5);
}

static void the_path_goes_down(void **state) {
  (void)state;
  mlf_span_node nodes[] = {span_of(ROOT, 0, 100), span_of(0, 10, 90), span_of(1, 20, 40),
                           span_of(1, 50, 95)};
  tree_measures(nodes, 4);
  node_is(&nodes[0], 0, 1, 20, 20);
  node_is(&nodes[1], 1, 2, 20, 20);
  node_is(&nodes[2], 2, 0, 20, 20);
  node_is(&nodes[3], 2, 0, 45, 40);
}

static void moments_take_no_time(void **state) {
  (void)state;
  mlf_span_node nodes[] = {span_of(ROOT, 0, 0), span_of(0, 0, 0), span_of(ROOT, 5, 9),
                           span_of(2, 7, 7), span_of(2, 8, 6)}; /* the last ended before it began */
  tree_measures(nodes, 5);
  node_is(&nodes[0], 0, 1, 0, 0);
  node_is(&nodes[1], 1, 0, 0, 0);
  node_is(&nodes[2], 0, 2, 4, 4);
  node_is(&nodes[3], 1, 0, 0, 0);
  node_is(&nodes[4], 1, 0, 0, 0);
}

static void each_root_has_a_path(void **state) {
  (void)state;
  mlf_span_node nodes[] = {span_of(ROOT, 0, 10), span_of(ROOT, 5, 20), span_of(0, 6, 8)};
  tree_measures(nodes, 3);
  node_is(&nodes[0], 0, 1, 8, 8);
  node_is(&nodes[1], 0, 0, 15, 15);
  node_is(&nodes[2], 1, 0, 2, 2);
}

static void who_has_not_ended_lasts_as_long_as_what_it_called(void **state) {
  (void)state;
  mlf_span_node nodes[] = {span_of(ROOT, 0, 0), span_of(0, 2, 0), span_of(1, 3, 9),
                           span_of(0, 4, 6)};
  nodes[0].ended = nodes[1].ended = false;
  nodes[1].end_ns = INT64_MAX; /* anything */
  tree_measures(nodes, 4);
  assert_int_equal(nodes[0].end_ns, LATE + 9);
  assert_int_equal(nodes[1].end_ns, LATE + 9);
  node_is(&nodes[0], 0, 2, 2, 2);
  node_is(&nodes[1], 1, 1, 1, 1);
  node_is(&nodes[2], 2, 0, 6, 6);
}

static void circles_are_cut_once(void **state) {
  (void)state;
  /* 0 is its own parent; 1 and 2 are each other's; 3 hangs on them. */
  mlf_span_node nodes[] = {span_of(0, 0, 10), span_of(2, 1, 9), span_of(1, 2, 8), span_of(2, 3, 4)};
  tree_measures(nodes, 4);
  node_is(&nodes[0], 0, 0, 10, 10);
  assert_int_equal((nodes[1].parent == ROOT) + (nodes[2].parent == ROOT), 1);
  assert_int_equal(nodes[1].depth + nodes[2].depth, 1);
  assert_int_equal(nodes[3].depth, nodes[2].depth + 1);
}

static void nothing_is_a_tree(void **state) {
  (void)state;
  mlf_span_node none;
  tree_measures(&none, 0);
}

/* Many: a chain, a fan, a circle. Neither the C stack nor patience runs out: a step for each pair of
** them would take minutes. */
static void trees_may_be_deep_and_wide(void **state) {
  (void)state;
  mlf_span_node *nodes = calloc(MANY, sizeof(*nodes));
  alarm(60);
  for (size_t i = 0; i < MANY; i++)
    nodes[i] = span_of(i ? i - 1 : ROOT, (int64_t)i, 3 * MANY - (int64_t)i);
  tree_measures(nodes, MANY);
  for (size_t i = 0; i + 1 < MANY; i++)
    node_is(&nodes[i], i, 1, 2, 2);
  node_is(&nodes[MANY - 1], MANY - 1, 0, MANY + 2, MANY + 2);
  for (size_t i = 0; i < MANY; i++)
    nodes[i] = span_of(i ? 0 : ROOT, (int64_t)i, i ? (int64_t)i + 1 : MANY);
  tree_measures(nodes, MANY);
  node_is(&nodes[0], 0, MANY - 1, 1, 1);
  for (size_t i = 1; i < MANY; i++)
    node_is(&nodes[i], 1, 0, 1, 1);
  for (size_t i = 0; i < MANY; i++)
    nodes[i] = span_of((i + 1) % MANY, (int64_t)i, MANY);
  tree_measures(nodes, MANY);
  size_t roots = 0;
  for (size_t i = 0; i < MANY; i++)
    roots += nodes[i].parent == ROOT;
  assert_int_equal(roots, 1);
  alarm(0);
  free(nodes);
}

/* The slow way, step by step of a nanosecond, over trees small enough for it. */

#define FEW 9

static int64_t slow_end(const mlf_span_node *nodes, size_t count, size_t index) {
  int64_t end_ns = nodes[index].ended && nodes[index].end_ns > nodes[index].start_ns
                       ? nodes[index].end_ns
                       : nodes[index].start_ns;
  for (size_t i = 0; !nodes[index].ended && i < count; i++) {
    if (nodes[i].parent != index) continue;
    int64_t child_ns = slow_end(nodes, count, i);
    if (child_ns > end_ns) end_ns = child_ns;
  }
  return end_ns;
}

static int64_t slow_self(const mlf_span_node *nodes, size_t count, size_t index) {
  int64_t self_ns = 0;
  for (int64_t at = nodes[index].start_ns; at < nodes[index].end_ns; at++) {
    bool covered = false;
    for (size_t i = 0; i < count; i++) {
      if (nodes[i].parent == index && nodes[i].start_ns <= at && at < nodes[i].end_ns)
        covered = true;
    }
    self_ns += !covered;
  }
  return self_ns;
}

/* The child of a window of a span that ends at `at` there: of several the one that ended last, and
** then the one that began first. */
static size_t slow_ending(const mlf_span_node *nodes, size_t count, size_t index, int64_t low,
                          int64_t high, int64_t at) {
  size_t found = ROOT;
  for (size_t i = 0; i < count; i++) {
    int64_t end = nodes[i].end_ns < high ? nodes[i].end_ns : high;
    int64_t start = nodes[i].start_ns > low ? nodes[i].start_ns : low;
    if (nodes[i].parent != index || end != at || start >= end) continue;
    if (found == ROOT || nodes[i].end_ns > nodes[found].end_ns) found = i;
  }
  return found;
}

static void slow_path(const mlf_span_node *nodes, size_t count, size_t index, int64_t low,
                      int64_t high, int64_t *parts) {
  for (int64_t at = high; at > low;) {
    size_t child = slow_ending(nodes, count, index, low, high, at);
    if (child == ROOT) {
      parts[index]++;
      at--;
    } else {
      int64_t start = nodes[child].start_ns > low ? nodes[child].start_ns : low;
      slow_path(nodes, count, child, start, at, parts);
      at = start;
    }
  }
}

static unsigned random_below(uint64_t *seed, unsigned limit) {
  *seed = *seed * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)(*seed >> 33) % limit;
}

/* Compares one random tree; its shape is any: nodes may be before their parents, or in circles. */
static void tree_equals_the_slow_one(uint64_t *seed) {
  mlf_span_node nodes[FEW], sent[FEW];
  int64_t parts[FEW] = {0}, in_paths = 0, in_roots = 0;
  size_t count = 1 + random_below(seed, FEW);
  bool circles = random_below(seed, 4) == 0;
  int64_t start = 0;
  for (size_t i = 0; i < count; i++) {
    start += random_below(seed, 4);
    size_t parent =
        circles ? random_below(seed, (unsigned)count) : random_below(seed, 1 + (unsigned)i);
    if (!circles && parent == i) parent = ROOT;
    sent[i] = nodes[i] = span_of(parent, start, start - 2 + random_below(seed, 15));
    sent[i].ended = nodes[i].ended = random_below(seed, 8) > 0;
  }
  tree_measures(nodes, count);
  for (size_t i = 0; i < count; i++)
    sent[i].parent = nodes[i].parent; /* without the circles */
  for (size_t i = 0; i < count; i++)
    assert_int_equal(nodes[i].end_ns, slow_end(sent, count, i));
  for (size_t i = 0; i < count; i++) {
    size_t depth = 0, children = 0;
    for (size_t at = nodes[i].parent; at != ROOT; at = nodes[at].parent)
      depth++;
    for (size_t j = 0; j < count; j++)
      children += nodes[j].parent == i;
    assert_int_equal(nodes[i].depth, depth);
    assert_int_equal(nodes[i].child_count, children);
    assert_int_equal(nodes[i].self_ns, slow_self(nodes, count, i));
    if (depth > 0) continue;
    slow_path(nodes, count, i, nodes[i].start_ns, nodes[i].end_ns, parts);
    in_roots += nodes[i].end_ns - nodes[i].start_ns;
  }
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(nodes[i].critical_ns, parts[i]);
    in_paths += nodes[i].critical_ns;
  }
  assert_int_equal(in_paths, in_roots);
}

static void random_trees_equal_the_slow_way(void **state) {
  (void)state;
  uint64_t seed = 20261123;
  for (int i = 0; i < 50000; i++)
    tree_equals_the_slow_one(&seed);
}

static int tree_without_memory(void *context) {
  (void)context;
  mlf_span_node nodes[] = {span_of(ROOT, 0, 10), span_of(0, 2, 8)};
  int rc = mlf_span_tree_measure(nodes, 2);
  if (rc == SQLITE_OK) node_is(&nodes[0], 0, 1, 4, 4);
  return rc;
}

static void memory_may_run_out(void **state) {
  (void)state;
  assert_int_equal(oom_loop(tree_without_memory, NULL), 0);
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_runs_side_by_side_counts_once),
      cmocka_unit_test(children_back_to_back_are_both_on_the_path),
      cmocka_unit_test(what_is_outside_of_the_parent_is_cut),
      cmocka_unit_test(a_child_that_was_not_waited_for_is_off_the_path),
      cmocka_unit_test(the_path_goes_down),
      cmocka_unit_test(moments_take_no_time),
      cmocka_unit_test(each_root_has_a_path),
      cmocka_unit_test(who_has_not_ended_lasts_as_long_as_what_it_called),
      cmocka_unit_test(circles_are_cut_once),
      cmocka_unit_test(nothing_is_a_tree),
      cmocka_unit_test(trees_may_be_deep_and_wide),
      cmocka_unit_test(random_trees_equal_the_slow_way),
      cmocka_unit_test(memory_may_run_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
