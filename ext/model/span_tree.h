/* span_tree.h: where a trace's time went: depth, self time and critical path of its spans.
**
** Plain arithmetic over intervals of nanoseconds, in int64, so that parts add up exactly.
**
** Self time is the span's duration less the union of its children's intervals, each clipped to the
** span: what runs side by side counts once, and what is outside of the span not at all.
**
** The critical path is the one of CRISP (Zhang et al., "CRISP: Critical Path Analysis of
** Large-Scale Microservice Architectures", USENIX ATC 2022) and of Jaeger's viewer: walk back from
** the end of a root; the child that finished last before here was waited for, and is entered; from
** its start go on. What no child takes of a span on the path is the span's own part. The own parts
** of all spans below a root add up to the root's duration.
**
** Time complexity O(n log n), memory O(n), no recursion.
*/
#ifndef MLF_MODEL_SPAN_TREE_H
#define MLF_MODEL_SPAN_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MLF_SPAN_NO_PARENT SIZE_MAX

typedef struct mlf_span_node {
  int64_t start_ns;
  int64_t end_ns; /* of one that has not ended: anything; set to the end of its last descendant */
  bool ended;
  size_t parent; /* index, or MLF_SPAN_NO_PARENT: a root. A circle is cut: one of it is a root. */
  /* Results. */
  size_t depth; /* 0 for a root */
  size_t child_count;
  int64_t self_ns;
  int64_t critical_ns;
} mlf_span_node;

/* Computes the results. `nodes` are sorted by start_ns, and no time is negative, so that
** differences fit. One that ended before it began takes no time. SQLITE_OK or SQLITE_NOMEM. */
int mlf_span_tree_measure(mlf_span_node *nodes, size_t count);

#endif
