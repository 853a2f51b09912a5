/* The scan of a text for a compiled set of literals (literals.h): a tile of positions at a time, each of the three
   steps over the whole tile, so that no step waits for another one's branches or memory. Portable code; the first step
   has faster forms in literals_simd.h. */
#ifndef MXWARD_LITERALS_SCAN_H
#define MXWARD_LITERALS_SCAN_H

#include "literals.h"

enum {
    LIT_LEAD = 80,  /* bytes that can be read after the last position of a tile */
    LIT_SHORT = 64, /* a tile has a multiple of so many positions */
    LIT_PAIRS = 512
};
#define LIT_INLINE __attribute__((always_inline)) /* into a caller compiled for more than the common processor */

/* Positions of a tile, from its begin; the first step may write 64 more than there are. */
typedef struct {
    uint32_t n, at[LIT_TILE + 64];
    uint32_t unsifted; /* tiles to come that are not worth a step before the first */
} LitPlaces;

typedef void (*LitFirst)(const LitPass *pass, const uint8_t *bitmap, const uint8_t *text, uint32_t n, LitPlaces *out);

static inline const uint8_t *lit_part(const LitScan *scan, uint64_t offset)
{
    return (const uint8_t *)scan->head + offset;
}

/* Step one: which of the n positions of text, a multiple of 64, may begin a window? Text has n + LIT_LEAD bytes. */
static void lit_first_portable(
    const LitPass *pass, const uint8_t *bitmap, const uint8_t *text, uint32_t n, LitPlaces *out)
{
    const uint32_t step = pass->stride;
    const unsigned shift = 32 - pass->bitmap_bits;
    uint32_t m = 0;
    for (uint32_t i = 0; i < n; i += step) {
        const uint32_t bit = lit_hash4(lit_load4(text + i), pass->q, pass->factor) >> shift;
        out->at[m] = i;
        m += bitmap[bit >> 3] >> (bit & 7) & 1;
    }
    out->n = m;
}

/* Step two: of which classes may the windows be? Nothing is decided by a branch. */
static inline LIT_INLINE void lit_second(
    const LitScan *scan, const LitPass *pass, const uint8_t *text, const LitPlaces *in, LitPlaces *out,
    const unsigned n_classes)
{
    const uint8_t *bitmap[LIT_MAX_CLASSES];
    uint64_t keep[LIT_MAX_CLASSES];
    unsigned shift[LIT_MAX_CLASSES];
    uint32_t m[LIT_MAX_CLASSES];
#pragma GCC unroll 3
    for (unsigned c = 0; c < n_classes; c++) {
        bitmap[c] = lit_part(scan, pass->classes[c].bitmap);
        keep[c] = lit_low_bytes(pass->classes[c].q);
        shift[c] = 64 - pass->classes[c].bitmap_bits;
        m[c] = 0;
    }
    for (uint32_t i = 0; i < in->n; i++) {
        const uint32_t p = in->at[i];
        const uint64_t bytes = lit_load8(text + p) | LIT_FOLD8;
#pragma GCC unroll 3
    for (unsigned c = 0; c < n_classes; c++) {
            const uint64_t bit = ((bytes & keep[c]) * LIT_HASH8) >> shift[c];
            out[c].at[m[c]] = p;
            m[c] += bitmap[c][bit >> 3] >> (bit & 7) & 1;
        }
    }
#pragma GCC unroll 3
    for (unsigned c = 0; c < n_classes; c++)
        out[c].n = m[c];
}

/* A place and an entry whose pattern may be there. */
typedef struct {
    uint32_t n, entry[LIT_PAIRS + 2], at[LIT_PAIRS + 2];
} LitPairs;

/* Step three, its end: of the pairs, those whose eight bytes agree and that tell something new are verified. Here too
   nothing is decided by a branch before most pairs are gone. When the text is not `roomy`, bytes around the places may
   lie outside of it. */
static inline LIT_INLINE void lit_try_pairs(
    LitScan *scan, const LitEntry *entries, size_t base, LitPairs *pairs, const int roomy)
{
    const uint8_t *text = scan->text + base, *pool = lit_part(scan, scan->head->pool);
    uint32_t m = 0;
    if (!roomy) {
        for (uint32_t i = 0; i < pairs->n && !scan->stopped; i++)
            lit_try(scan, entries + pairs->entry[i], base + pairs->at[i]);
        pairs->n = 0;
        return;
    }
    for (uint32_t i = 0; i < pairs->n; i++) {
        const uint32_t k = pairs->entry[i], at = pairs->at[i];
        const LitEntry *entry = entries + k;
        pairs->entry[m] = k; /* m <= i */
        pairs->at[m] = at;
        m += (lit_load8(text + at - entry->back) & entry->mask) == entry->want;
    }
    pairs->n = m;
    if (scan->mode == LIT_SEEN) {
        m = 0;
        for (uint32_t i = 0; i < pairs->n; i++) {
            const uint32_t number = entries[pairs->entry[i]].number;
            pairs->entry[m] = pairs->entry[i];
            pairs->at[m] = pairs->at[i];
            m += !(scan->seen[number >> 6] >> (number & 63) & 1);
        }
    }
    for (uint32_t i = 0; i < m; i++)
        __builtin_prefetch(pool + entries[pairs->entry[i]].at);
    for (uint32_t i = 0; i < m && !scan->stopped; i++) {
        const LitEntry *entry = entries + pairs->entry[i];
        const size_t p = base + pairs->at[i];
        if (entry->is_whole)
            lit_report(scan, entry->number, p - entry->back, entry->size);
        else
            lit_verify(scan, entry, p);
    }
    pairs->n = 0;
}

/* Step three: pair each place of a class with the entries of its slot. Slots and entries are fetched ahead, as they may
   lie anywhere in memory. */
static inline LIT_INLINE void lit_third(
    LitScan *scan, const LitClass *class, const uint8_t *text, size_t base, const LitPlaces *in, const int roomy)
{
    const uint32_t *slots = (const uint32_t *)lit_part(scan, class->slots);
    const LitEntry *entries = (const LitEntry *)lit_part(scan, class->entries);
    const unsigned shift = 64 - class->slot_bits;
    const uint64_t keep = lit_low_bytes(class->q);
    uint32_t slot[LIT_TILE];
    LitPairs pairs;
    pairs.n = 0;
    for (uint32_t i = 0; i < in->n; i++) {
        slot[i] = (uint32_t)((((lit_load8(text + in->at[i]) | LIT_FOLD8) & keep) * LIT_HASH8) >> shift);
        __builtin_prefetch(slots + slot[i]);
    }
    for (uint32_t i = 0; i < in->n && !scan->stopped; i++) {
        uint32_t k = slots[slot[i]];
        const uint32_t end = slots[slot[i] + 1];
        __builtin_prefetch(entries + k);
        pairs.entry[pairs.n] = k;
        pairs.at[pairs.n] = in->at[i];
        pairs.n += k < end;
        if (end - k > 1) {
            if (end - k > LIT_CROWD) {
                pairs.n--;
                lit_check_crowd(scan, entries, k, end, base + in->at[i]);
                continue;
            }
            __builtin_prefetch(entries + end - 1);
            for (k++; k < end; k++) {
                pairs.entry[pairs.n] = k;
                pairs.at[pairs.n++] = in->at[i];
            }
        }
        if (pairs.n > LIT_PAIRS - LIT_CROWD)
            lit_try_pairs(scan, entries, base, &pairs, roomy);
    }
    lit_try_pairs(scan, entries, base, &pairs, roomy);
}

/* All steps over n positions, a multiple of LIT_SHORT, from base on, which is `text`; n + LIT_LEAD bytes can be read.
   The first n_real of them are inside of the text. */
static inline LIT_INLINE void lit_tile(
    LitScan *scan, const LitPass *pass, const LitFirst first, const uint8_t *text, size_t base, uint32_t n,
    uint32_t n_real, LitPlaces *places)
{
    LitPlaces classes[LIT_MAX_CLASSES];
    const int roomy = base >= 8 && scan->n - base >= n + 8;
    first(pass, lit_part(scan, pass->bitmap), text, n, places);
    while (places->n > 0 && places->at[places->n - 1] >= n_real)
        places->n--;
    if (places->n == 0)
        return;
    if (pass->n_classes == 1 && pass->classes[0].q == pass->q) {
        lit_third(scan, pass->classes, text, base, places, roomy);
        return;
    }
    switch (pass->n_classes) {
    case 1: lit_second(scan, pass, text, places, classes, 1); break;
    case 2: lit_second(scan, pass, text, places, classes, 2); break;
    default: lit_second(scan, pass, text, places, classes, 3);
    }
    for (unsigned c = 0; c < pass->n_classes; c++)
        lit_third(scan, pass->classes + c, text, base, classes + c, roomy);
}

/* One pass over the text. The end of the text, for which no step could read ahead, is copied and followed by zeros. */
static inline LIT_INLINE void lit_pass(LitScan *scan, const LitPass *pass, const LitFirst first)
{
    uint8_t end[3 * LIT_SHORT + LIT_LEAD];
    LitPlaces places;
    size_t p = 0;
    places.unsifted = 0;
    while (scan->n - p >= LIT_LEAD + LIT_SHORT && !scan->stopped) {
        const size_t room = (scan->n - p - LIT_LEAD) / LIT_SHORT * LIT_SHORT;
        const uint32_t n = room < LIT_TILE ? (uint32_t)room : LIT_TILE;
        lit_tile(scan, pass, first, scan->text + p, p, n, n, &places);
        p += n;
    }
    if (p < scan->n && !scan->stopped) { /* less than LIT_LEAD + LIT_SHORT = 144 bytes are left */
        const uint32_t left = (uint32_t)(scan->n - p), n = (left + LIT_SHORT - 1) / LIT_SHORT * LIT_SHORT;
        memset(end + left, 0, n + LIT_LEAD - left);
        memcpy(end, scan->text + p, left);
        lit_tile(scan, pass, first, end, p, n, left, &places);
    }
}

static void lit_pass_portable(LitScan *scan, const LitPass *pass)
{
    lit_pass(scan, pass, lit_first_portable);
}

typedef void (*LitPassBy)(LitScan *scan, const LitPass *pass);

#include "literals_simd.h"

/* Scan the whole text. The caller has filled head, text, n, mode, level and what the mode needs. */
static void lit_scan(LitScan *scan)
{
    scan->summary = scan->seen == NULL ? NULL : scan->seen + lit_seen_words(scan->head->n);
    for (uint32_t i = 0; i < scan->head->n_passes && !scan->stopped; i++)
        lit_pass_for(scan->level)(scan, scan->head->passes + i);
}

#endif
