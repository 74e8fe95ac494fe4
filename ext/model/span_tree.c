#include "model/span_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/sqlite_api.h"

/* A part of a span that is on the critical path. */
typedef struct tree_window {
  size_t node;
  int64_t low_ns;
  int64_t high_ns;
} tree_window;

typedef struct tree_child {
  size_t parent;
  size_t node;
  int64_t end_ns;
} tree_child;

typedef struct span_tree {
  mlf_span_node *nodes;
  size_t count;
  tree_child *children; /* all nodes with a parent, those of one parent together */
  size_t *first;        /* of each node, in `children`; first[count] is the end */
  size_t *order;        /* nodes, by growing depth */
  tree_window *windows; /* a stack */
} span_tree;

static int tree_new(span_tree *tree, mlf_span_node *nodes, size_t count) {
  memset(tree, 0, sizeof(*tree));
  tree->nodes = nodes;
  tree->count = count;
  tree->children = sqlite3_malloc64((count + 1) * sizeof(*tree->children));
  tree->first = sqlite3_malloc64((count + 2) * sizeof(*tree->first));
  tree->order = sqlite3_malloc64((count + 1) * sizeof(*tree->order));
  tree->windows = sqlite3_malloc64((count + 1) * sizeof(*tree->windows));
  return tree->children && tree->first && tree->order && tree->windows ? SQLITE_OK : SQLITE_NOMEM;
}

static void tree_clear(span_tree *tree) {
  sqlite3_free(tree->children);
  sqlite3_free(tree->first);
  sqlite3_free(tree->order);
  sqlite3_free(tree->windows);
}

/* Makes a root of one node of each circle: follows the parents of every node, marking the way by
** its number, until a root, an older way, or the own way again. */
static void tree_cut_circles(span_tree *tree) {
  size_t *way = tree->order; /* not used yet */
  for (size_t i = 0; i < tree->count; i++)
    way[i] = SIZE_MAX;
  for (size_t i = 0; i < tree->count; i++) {
    size_t at = i;
    while (at != MLF_SPAN_NO_PARENT && way[at] == SIZE_MAX) {
      way[at] = i;
      size_t parent = tree->nodes[at].parent;
      if (parent != MLF_SPAN_NO_PARENT && way[parent] == i)
        tree->nodes[at].parent = MLF_SPAN_NO_PARENT;
      at = tree->nodes[at].parent;
    }
  }
}

/* Puts the children of each parent together, in the order of their starts. */
static void tree_gather_children(span_tree *tree) {
  mlf_span_node *nodes = tree->nodes;
  memset(tree->first, 0, (tree->count + 2) * sizeof(*tree->first));
  for (size_t i = 0; i < tree->count; i++)
    nodes[i].child_count = 0;
  for (size_t i = 0; i < tree->count; i++) {
    if (nodes[i].parent != MLF_SPAN_NO_PARENT) nodes[nodes[i].parent].child_count++;
  }
  for (size_t i = 0; i < tree->count; i++)
    tree->first[i + 2] = tree->first[i + 1] + nodes[i].child_count;
  for (size_t i = 0; i < tree->count; i++) {
    if (nodes[i].parent != MLF_SPAN_NO_PARENT)
      tree->children[tree->first[nodes[i].parent + 1]++] = (tree_child){nodes[i].parent, i, 0};
  }
}

/* Orders the nodes by depth: roots, then the children of each in turn. */
static void tree_set_depths(span_tree *tree) {
  size_t ordered = 0;
  for (size_t i = 0; i < tree->count; i++) {
    tree->nodes[i].depth = 0;
    if (tree->nodes[i].parent == MLF_SPAN_NO_PARENT) tree->order[ordered++] = i;
  }
  for (size_t i = 0; i < ordered; i++) {
    size_t node = tree->order[i];
    for (size_t j = tree->first[node]; j < tree->first[node + 1]; j++) {
      tree->nodes[tree->children[j].node].depth = tree->nodes[node].depth + 1;
      tree->order[ordered++] = tree->children[j].node;
    }
  }
}

static int64_t tree_min(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static int64_t tree_max(int64_t a, int64_t b) {
  return a > b ? a : b;
}

/* A span that has not ended lasts at least as long as what it has called. One that ended before it
** began has no duration. Children come before their parents. */
static void tree_set_ends(span_tree *tree) {
  for (size_t i = tree->count; i-- > 0;) {
    size_t index = tree->order[i];
    mlf_span_node *node = &tree->nodes[index];
    if (!node->ended || node->end_ns < node->start_ns) node->end_ns = node->start_ns;
    for (size_t j = tree->first[index]; !node->ended && j < tree->first[index + 1]; j++)
      node->end_ns = tree_max(node->end_ns, tree->nodes[tree->children[j].node].end_ns);
  }
}

/* The children are in the order of their starts, so one sweep finds what they cover together. */
static void tree_set_self(span_tree *tree, size_t index) {
  mlf_span_node *node = &tree->nodes[index];
  int64_t covered_ns = 0;
  int64_t until_ns = node->start_ns;
  for (size_t j = tree->first[index]; j < tree->first[index + 1]; j++) {
    const mlf_span_node *child = &tree->nodes[tree->children[j].node];
    int64_t low_ns = tree_max(child->start_ns, until_ns);
    int64_t high_ns = tree_min(child->end_ns, node->end_ns);
    if (high_ns <= low_ns) continue;
    covered_ns += high_ns - low_ns;
    until_ns = high_ns;
  }
  node->self_ns = node->end_ns - node->start_ns - covered_ns;
}

/* Of each parent, later ends first; of those that end together the one that began first. */
static int tree_compare_ends(const void *left, const void *right) {
  const tree_child *a = left, *b = right;
  if (a->parent != b->parent) return a->parent < b->parent ? -1 : 1;
  if (a->end_ns != b->end_ns) return a->end_ns > b->end_ns ? -1 : 1;
  return a->node < b->node ? -1 : 1;
}

/* Walks back through one window of a span, and puts the windows of children on the stack. */
static size_t tree_walk_window(span_tree *tree, tree_window window, size_t stacked) {
  int64_t at_ns = window.high_ns;
  for (size_t j = tree->first[window.node]; j < tree->first[window.node + 1]; j++) {
    const mlf_span_node *child = &tree->nodes[tree->children[j].node];
    int64_t low_ns = tree_max(child->start_ns, window.low_ns);
    int64_t high_ns = tree_min(child->end_ns, window.high_ns);
    if (high_ns <= low_ns || high_ns > at_ns) continue;
    tree->nodes[window.node].critical_ns += at_ns - high_ns;
    tree->windows[stacked++] = (tree_window){tree->children[j].node, low_ns, high_ns};
    at_ns = low_ns;
  }
  tree->nodes[window.node].critical_ns += at_ns - window.low_ns;
  return stacked;
}

static void tree_set_critical(span_tree *tree) {
  size_t stacked = 0, children = tree->first[tree->count];
  for (size_t j = 0; j < children; j++)
    tree->children[j].end_ns = tree->nodes[tree->children[j].node].end_ns;
  qsort(tree->children, children, sizeof(*tree->children), tree_compare_ends);
  for (size_t i = 0; i < tree->count; i++) {
    const mlf_span_node *node = &tree->nodes[i];
    tree->nodes[i].critical_ns = 0;
    if (node->parent == MLF_SPAN_NO_PARENT)
      tree->windows[stacked++] = (tree_window){i, node->start_ns, node->end_ns};
  }
  while (stacked > 0)
    stacked = tree_walk_window(tree, tree->windows[stacked - 1], stacked - 1);
}

int mlf_span_tree_measure(mlf_span_node *nodes, size_t count) {
  span_tree tree;
  int rc = tree_new(&tree, nodes, count);
  if (rc == SQLITE_OK) {
    tree_cut_circles(&tree);
    tree_gather_children(&tree);
    tree_set_depths(&tree);
    tree_set_ends(&tree);
    for (size_t i = 0; i < count; i++)
      tree_set_self(&tree, i);
    tree_set_critical(&tree);
  }
  tree_clear(&tree);
  return rc;
}
