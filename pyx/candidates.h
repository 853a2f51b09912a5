/* Which needs hold, from the leaves that were found: threshold gates, counted upward from what is true.
 *
 * A node is a leaf (0 .. n_leaves-1, what the caller finds) or a gate (n_leaves .. n_nodes-1), which fires when
 * `threshold` of its children have fired and the size of the text lies within its bounds. Edges lead from a node to
 * the gates that it is a child of, or, from n_nodes on, to the need that it is. Work is done for what has fired only;
 * the counters are put back to zero by the list of those that were touched.
 */
#ifndef MXWARD_CANDIDATES_H
#define MXWARD_CANDIDATES_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CAND_MAGIC 0x315344454E584D00ull /* "\0MXNEDS1" */

typedef struct {
    uint64_t magic, checksum, size; /* checksum: of what follows it; size: of the whole block, in bytes */
    uint32_t n_needs, n_leaves, n_gates, n_edges, n_always, n_starters, n_bounds, spare;
} CandHead;

typedef struct {
    uint32_t threshold; /* children that must have fired; 0: a starter, which waits for nothing */
    uint32_t bounds;    /* index into the table of bounds */
} CandGate;

typedef struct {
    uint64_t low, high; /* bytes of text, both included */
} CandBounds;

/* A validated block, in order: head, bounds, gates, first, edges, always, starters. Nothing is owned. */
typedef struct {
    const CandHead *head;
    const CandBounds *bounds;
    const CandGate *gates;
    const uint32_t *first; /* n_nodes + 1: where the edges of a node begin */
    const uint32_t *edges;
    const uint32_t *always;
    const uint32_t *starters; /* gates (not nodes) of threshold 0 */
} CandSet;

/* Memory of one run at a time, all counters zero between runs. */
typedef struct {
    uint32_t *counts;  /* n_nodes: children that have fired; of a leaf: 1 when found */
    uint32_t *touched; /* n_gates: gates with a count above 0 */
    uint32_t *fired;   /* n_nodes: a queue */
    uint32_t *needs;   /* n_needs: those that hold, but for those that always do */
    size_t n_touched, n_fired, n_needs;
} CandScratch;

static uint64_t cand_sum(const uint8_t *data, size_t size) {
    uint64_t sum = 0x9E3779B97F4A7C15ull ^ size, word;
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        memcpy(&word, data + i, 8);
        sum = (sum ^ word) * 0xD6E8FEB86659FD93ull;
        sum ^= sum >> 32;
    }
    for (word = 0; i < size; i++) word = word << 8 | data[i];
    sum = (sum ^ word) * 0xD6E8FEB86659FD93ull;
    return sum ^ sum >> 32;
}

static uint64_t cand_size(const CandHead *h) {
    return sizeof(CandHead) + (uint64_t)h->n_bounds * sizeof(CandBounds) + (uint64_t)h->n_gates * sizeof(CandGate)
         + 4ull * ((uint64_t)h->n_leaves + h->n_gates + 1 + h->n_edges + h->n_always + h->n_starters);
}

static void cand_point(CandSet *set, const uint8_t *block) {
    const CandHead *h = (const CandHead *)block;
    set->head = h;
    set->bounds = (const CandBounds *)(block + sizeof(CandHead));
    set->gates = (const CandGate *)(set->bounds + h->n_bounds);
    set->first = (const uint32_t *)(set->gates + h->n_gates);
    set->edges = set->first + h->n_leaves + h->n_gates + 1;
    set->always = set->edges + h->n_edges;
    set->starters = set->always + h->n_always;
}

/* Every index that `cand_run` follows is checked here, once. `seen` is n_needs zero bytes: a need is reported once. */
static int cand_is_sound(const CandSet *set, uint8_t *seen) {
    const CandHead *h = set->head;
    const uint64_t n_nodes = (uint64_t)h->n_leaves + h->n_gates;
    uint64_t i;
    if (n_nodes + h->n_needs > UINT32_MAX || set->first[0] != 0 || set->first[n_nodes] != h->n_edges) return 0;
    for (i = 0; i < n_nodes; i++)
        if (set->first[i] > set->first[i + 1]) return 0;
    for (i = 0; i < h->n_edges; i++) {
        const uint64_t to = set->edges[i];
        if (to < h->n_leaves || to >= n_nodes + h->n_needs) return 0;
        if (to >= n_nodes && seen[to - n_nodes]++) return 0;
    }
    for (i = 0; i < h->n_always; i++)
        if (set->always[i] >= h->n_needs || seen[set->always[i]]++ || (i && set->always[i - 1] >= set->always[i])) return 0;
    for (i = 0; i < h->n_gates; i++)
        if (set->gates[i].bounds >= h->n_bounds) return 0;
    for (i = 0; i < h->n_starters; i++)
        if (set->starters[i] >= h->n_gates || set->gates[set->starters[i]].threshold
            || (i && set->starters[i - 1] >= set->starters[i])) return 0;
    return 1;
}

static int cand_is_valid(CandSet *set, const uint8_t *block, size_t size) {
    const CandHead *h = (const CandHead *)block;
    uint8_t *seen;
    int is_sound;
    if (size < sizeof(CandHead) || h->magic != CAND_MAGIC || h->size != size || cand_size(h) != size) return 0;
    if (h->checksum != cand_sum(block + 16, size - 16)) return 0;
    seen = (uint8_t *)calloc((size_t)h->n_needs + 1, 1);
    if (seen == NULL) return -1;
    cand_point(set, block);
    is_sound = cand_is_sound(set, seen);
    free(seen);
    return is_sound;
}

static void cand_free(CandScratch *s) {
    free(s->counts);
    free(s->touched);
    free(s->fired);
    free(s->needs);
    free(s);
}

static CandScratch *cand_scratch(const CandSet *set) {
    const size_t n_nodes = (size_t)set->head->n_leaves + set->head->n_gates;
    CandScratch *s = (CandScratch *)calloc(1, sizeof(CandScratch));
    if (s == NULL) return NULL;
    s->counts = (uint32_t *)calloc(n_nodes + 1, 4);
    s->touched = (uint32_t *)malloc(((size_t)set->head->n_gates + 1) * 4);
    s->fired = (uint32_t *)malloc((n_nodes + 1) * 4);
    s->needs = (uint32_t *)malloc(((size_t)set->head->n_needs + 1) * 4);
    if (s->counts == NULL || s->touched == NULL || s->fired == NULL || s->needs == NULL) {
        cand_free(s);
        return NULL;
    }
    return s;
}

/* A leaf was found. Numbers that no need uses are passed over; a second time is no news. */
static inline void cand_found(const CandSet *set, CandScratch *s, uint32_t leaf) {
    if (leaf >= set->head->n_leaves || s->counts[leaf]) return;
    s->counts[leaf] = 1;
    s->fired[s->n_fired++] = leaf; /* each leaf and gate fires once at most: the queue holds n_nodes */
}

static inline int cand_fits(const CandSet *set, uint32_t gate, uint64_t size) {
    const CandBounds *b = &set->bounds[set->gates[gate].bounds];
    return size >= b->low && size <= b->high;
}

/* Follow what fires. Afterwards s->needs holds the needs, in no order, and all counters are zero again. */
static void cand_run(const CandSet *set, CandScratch *s, uint64_t size) {
    const uint32_t n_leaves = set->head->n_leaves, n_nodes = n_leaves + set->head->n_gates;
    size_t i, e;
    for (i = 0; i < set->head->n_starters; i++)
        if (cand_fits(set, set->starters[i], size)) s->fired[s->n_fired++] = n_leaves + set->starters[i];
    for (i = 0; i < s->n_fired; i++) {
        const uint32_t node = s->fired[i];
        for (e = set->first[node]; e < set->first[node + 1]; e++) {
            const uint32_t to = set->edges[e];
            if (to >= n_nodes) {
                s->needs[s->n_needs++] = to - n_nodes; /* each need is in one edge only */
                continue;
            }
            const uint32_t gate = to - n_leaves;
            if (s->counts[to]++ == 0) s->touched[s->n_touched++] = to;
            if (s->counts[to] == set->gates[gate].threshold && cand_fits(set, gate, size)) s->fired[s->n_fired++] = to;
        }
    }
    for (i = 0; i < s->n_fired && s->fired[i] < n_nodes; i++) s->counts[s->fired[i]] = 0;
    for (i = 0; i < s->n_touched; i++) s->counts[s->touched[i]] = 0;
}

#endif
