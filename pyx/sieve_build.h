/* The automaton of a group of expressions, from the places of their bytes (V. Glushkov, 1961) by sets of places.
 *
 * The states are made that a sample of text reaches, `max_states` at most, and some more that come next;
 * whatever else text may reach is the sink. How often that happens is told by a second part of the sample.
 */
#ifndef MXWARD_SIEVE_BUILD_H
#define MXWARD_SIEVE_BUILD_H

#include <stdlib.h>

#include "sieve.h"

#define SIEVE_SINK 0xFFFFFFFFu    /* the next state is not made */
#define SIEVE_UNKNOWN 0xFFFFFFFEu /* nor looked for */
#define SIEVE_SLOTS 65536         /* of the hash table: twice the states that there may be, at least */
#define SIEVE_FEW 256             /* states, at least, that are made beyond the sample */

typedef struct {
    uint32_t n_places, words; /* words: of a set of places */
    uint32_t n_members, n_classes;
    uint64_t *columns;  /* n_classes sets: the places that bytes of a class fit */
    uint64_t *follow;   /* n_places sets */
    uint64_t *first;    /* a set */
    uint64_t *accept;   /* n_members sets */
    const uint8_t *classes; /* of bytes */
} SieveNet;

typedef struct {
    uint64_t *sets; /* n_states sets; the first is empty: the start */
    uint64_t *wide; /* of each state: the places that may come next, whatever the byte */
    uint32_t *next; /* of each state: a row of n_classes */
    uint32_t *table; /* hash -> state + 1 */
    uint32_t n_states, max_states;
    double leak; /* segments of the sample that reach the sink, as a share */
} SieveMaker;

static void sieve_maker_free(SieveMaker *m) {
    free(m->sets);
    free(m->wide);
    free(m->next);
    free(m->table);
}

static uint64_t sieve_hash(const uint64_t *set, uint32_t words) {
    uint64_t hash = 0x9E3779B97F4A7C15ull;
    for (uint32_t i = 0; i < words; i++) {
        hash = (hash ^ set[i]) * 0xD6E8FEB86659FD93ull;
        hash ^= hash >> 29;
    }
    return hash;
}

/* The state of a set of places. When it is not there: made if `is_growing` and there is room, else the sink. */
static uint32_t sieve_state(const SieveNet *net, SieveMaker *m, const uint64_t *set, int is_growing) {
    const size_t words = net->words;
    uint64_t slot = sieve_hash(set, net->words);
    uint32_t *entry;
    for (;; slot++) { /* the table is never full: max_states < SIEVE_SLOTS */
        entry = &m->table[slot % SIEVE_SLOTS];
        if (*entry == 0) break;
        if (!memcmp(m->sets + (*entry - 1) * words, set, words * 8)) return *entry - 1;
    }
    if (!is_growing || m->n_states == m->max_states) return SIEVE_SINK;
    const uint32_t state = m->n_states++;
    uint64_t *wide = m->wide + state * words;
    memcpy(m->sets + state * words, set, words * 8);
    memcpy(wide, net->first, words * 8);
    for (size_t w = 0; w < words; w++)
        for (uint64_t left = set[w]; left; left &= left - 1) {
            const uint64_t *after = net->follow + (w * 64 + __builtin_ctzll(left)) * words;
            for (size_t i = 0; i < words; i++) wide[i] |= after[i];
        }
    for (uint32_t c = 0; c < net->n_classes; c++) m->next[(size_t)state * net->n_classes + c] = SIEVE_UNKNOWN;
    *entry = state + 1;
    return state;
}

/* The state after a byte of a class. `set`: room for one. */
static uint32_t sieve_follow(const SieveNet *net, SieveMaker *m, uint32_t state, uint32_t c, int is_growing,
                             uint64_t *set) {
    const uint32_t known = m->next[(size_t)state * net->n_classes + c];
    const uint64_t *wide = m->wide + (size_t)state * net->words, *column = net->columns + (size_t)c * net->words;
    if (known != SIEVE_UNKNOWN) return known;
    for (uint32_t i = 0; i < net->words; i++) set[i] = wide[i] & column[i];
    const uint32_t to = sieve_state(net, m, set, is_growing);
    if (to != SIEVE_SINK || m->n_states == m->max_states) m->next[(size_t)state * net->n_classes + c] = to;
    return to;
}

/* Read the sample, segments of it that end with a line end. The share of segments that reach the sink. */
static double sieve_read(const SieveNet *net, SieveMaker *m, const uint8_t *text, size_t n, int is_growing,
                         uint64_t *set) {
    size_t n_segments = 0, n_leaks = 0;
    uint32_t state = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\n') {
            n_segments++;
            n_leaks += state == SIEVE_SINK;
            state = 0;
        } else if (state != SIEVE_SINK) {
            state = sieve_follow(net, m, state, net->classes[text[i]], is_growing, set);
        }
    }
    return n_segments ? (double)n_leaks / (double)n_segments : 0.0;
}

/* Make the states. `text`: the sample, n bytes, which is measured by what stands behind `learnt`. 0, or -1: out of
 * memory. */
static int sieve_make(SieveNet *net, SieveMaker *m, uint32_t max_states, const uint8_t *text, size_t n, size_t learnt) {
    uint32_t room;
    uint64_t *set = (uint64_t *)calloc(net->words, 8);
    m->max_states = max_states;
    m->sets = (uint64_t *)malloc((size_t)max_states * net->words * 8);
    m->wide = (uint64_t *)malloc((size_t)max_states * net->words * 8);
    m->next = (uint32_t *)malloc((size_t)max_states * net->n_classes * 4);
    m->table = (uint32_t *)calloc(SIEVE_SLOTS, 4);
    if (!set || !m->sets || !m->wide || !m->next || !m->table) {
        free(set);
        return -1;
    }
    sieve_state(net, m, set, 1);
    sieve_read(net, m, text, learnt, 1, set);
    room = m->n_states + (m->n_states < SIEVE_FEW ? SIEVE_FEW : m->n_states / 4);
    if (room < max_states) m->max_states = room;
    for (uint32_t state = 0; state < m->n_states; state++) /* what may come next: by states, the first ones first */
        for (uint32_t c = 0; c < net->n_classes; c++) sieve_follow(net, m, state, c, 1, set);
    m->leak = sieve_read(net, m, text + learnt, n - learnt, 1, set);
    free(set);
    return 0;
}

static uint64_t sieve_hits(const SieveNet *net, const uint64_t *set) {
    uint64_t hits = 0;
    for (uint32_t p = 0; p < net->n_members; p++)
        for (uint32_t w = 0; w < net->words; w++)
            if (set[w] & net->accept[(size_t)p * net->words + w]) hits |= 1ull << p;
    return hits;
}

/* Rows and masks of the group: m->n_states of them, and one for the sink. */
static void sieve_write(const SieveNet *net, const SieveMaker *m, uint32_t shift, uint64_t *masks, uint16_t *entries) {
    const uint32_t sink = m->n_states, width = 1u << shift;
    for (uint32_t state = 0; state < sink; state++) masks[state] = sieve_hits(net, m->sets + (size_t)state * net->words);
    masks[sink] = ~0ull >> (SIEVE_GROUP - net->n_members);
    for (uint32_t state = 0; state < sink; state++)
        for (uint32_t c = 0; c < width; c++) {
            uint32_t to = sink;
            if (c < net->n_classes && m->next[(size_t)state * net->n_classes + c] < sink)
                to = m->next[(size_t)state * net->n_classes + c];
            entries[((size_t)state << shift) | c] = (uint16_t)(to | (masks[to] ? SIEVE_HIT : 0));
        }
    for (uint32_t c = 0; c < width; c++) entries[((size_t)sink << shift) | c] = (uint16_t)sink; /* it has been told */
}

#endif
