/* The scan of a text for a compiled set of literals (literals.h): a tile of positions at a time, each of the three
   steps over the whole tile, so that no step waits for another one's branches or memory. Portable code; the first step
   has faster forms in literals_simd.h. */
#ifndef MXWARD_LITERALS_SCAN_H
#define MXWARD_LITERALS_SCAN_H

#include "literals.h"

enum { LIT_LEAD = 80, LIT_SHORT = 64 }; /* bytes a tile's text has after its last position; positions a tile's number is a multiple of */

/* Positions of a tile, from its begin; the first step may write 64 more than there are. */
typedef struct {
    uint32_t n, at[LIT_TILE + 64];
} LitPlaces;

typedef void (*LitFirst)(const LitPass *pass, const uint8_t *bitmap, const uint8_t *text, uint32_t n, LitPlaces *out);

static inline const uint8_t *lit_part(const LitScan *scan, uint64_t offset)
{
    return (const uint8_t *)scan->head + offset;
}

/* Step one: which of the n positions of text, a multiple of 64, may begin a window? Text has n + LIT_LEAD bytes. */
static void lit_first_portable(const LitPass *pass, const uint8_t *bitmap, const uint8_t *text, uint32_t n, LitPlaces *out)
{
    const uint32_t fold = (uint32_t)LIT_FOLD8, keep = (uint32_t)lit_low_bytes(pass->q), step = pass->stride;
    const unsigned shift = 32 - pass->bitmap_bits;
    uint32_t m = 0;
    for (uint32_t i = 0; i < n; i += step) {
        const uint32_t bit = (((lit_load4(text + i) | fold) & keep) * LIT_HASH) >> shift;
        out->at[m] = i;
        m += bitmap[bit >> 3] >> (bit & 7) & 1;
    }
    out->n = m;
}

/* Step two: of which classes may the windows be? Nothing is decided by a branch. */
static inline __attribute__((always_inline)) void lit_second(
    const LitScan *scan, const LitPass *pass, const uint8_t *text, const LitPlaces *in, LitPlaces *out, const unsigned n_classes)
{
    const uint8_t *bitmap[LIT_MAX_CLASSES];
    uint64_t keep[LIT_MAX_CLASSES];
    unsigned shift[LIT_MAX_CLASSES];
    uint32_t m[LIT_MAX_CLASSES];
    for (unsigned c = 0; c < n_classes; c++) {
        bitmap[c] = lit_part(scan, pass->classes[c].bitmap);
        keep[c] = lit_low_bytes(pass->classes[c].q);
        shift[c] = 64 - pass->classes[c].bitmap_bits;
        m[c] = 0;
    }
    for (uint32_t i = 0; i < in->n; i++) {
        const uint32_t p = in->at[i];
        const uint64_t bytes = lit_load8(text + p) | LIT_FOLD8;
        for (unsigned c = 0; c < n_classes; c++) {
            const uint64_t bit = ((bytes & keep[c]) * LIT_HASH8) >> shift[c];
            out[c].at[m[c]] = p;
            m[c] += bitmap[c][bit >> 3] >> (bit & 7) & 1;
        }
    }
    for (unsigned c = 0; c < n_classes; c++)
        out[c].n = m[c];
}

/* Step three: try the entries of each place of a class. Slots and entries are fetched ahead, as they lie anywhere. */
static void lit_third(LitScan *scan, const LitClass *class, const uint8_t *text, size_t base, const LitPlaces *in)
{
    const uint32_t *slots = (const uint32_t *)lit_part(scan, class->slots);
    const LitEntry *entries = (const LitEntry *)lit_part(scan, class->entries);
    const unsigned shift = 32 - class->slot_bits;
    uint32_t slot[LIT_TILE];
    for (uint32_t i = 0; i < in->n; i++) {
        slot[i] = lit_hash8(lit_load8(text + in->at[i]) | LIT_FOLD8, class->q) >> shift;
        __builtin_prefetch(slots + slot[i]);
    }
    if (class->n_entries > 512)
        for (uint32_t i = 0; i < in->n; i++)
            __builtin_prefetch(entries + slots[slot[i]]);
    for (uint32_t i = 0; i < in->n && !scan->stopped; i++) {
        uint32_t k = slots[slot[i]];
        const uint32_t end = slots[slot[i] + 1];
        if (end - k > LIT_CROWD)
            lit_check_crowd(scan, entries, k, end, base + in->at[i]);
        else
            for (; k < end; k++)
                lit_try(scan, entries + k, base + in->at[i]);
    }
}

/* All steps over n positions, a multiple of LIT_SHORT, from base on, which is `text`; n + LIT_LEAD bytes can be read.
   The first n_real of them are inside of the text. */
static void lit_tile(LitScan *scan, const LitPass *pass, LitFirst first, const uint8_t *text, size_t base, uint32_t n, uint32_t n_real)
{
    LitPlaces places, classes[LIT_MAX_CLASSES];
    first(pass, lit_part(scan, pass->bitmap), text, n, &places);
    while (places.n > 0 && places.at[places.n - 1] >= n_real)
        places.n--;
    if (places.n == 0)
        return;
    if (pass->n_classes == 1 && pass->classes[0].q == pass->q) {
        lit_third(scan, pass->classes, text, base, &places);
        return;
    }
    switch (pass->n_classes) {
    case 1: lit_second(scan, pass, text, &places, classes, 1); break;
    case 2: lit_second(scan, pass, text, &places, classes, 2); break;
    default: lit_second(scan, pass, text, &places, classes, 3);
    }
    for (unsigned c = 0; c < pass->n_classes; c++)
        lit_third(scan, pass->classes + c, text, base, classes + c);
}

/* One pass over the text. The end of the text, for which no step could read ahead, is copied and followed by zeros. */
static void lit_pass(LitScan *scan, const LitPass *pass, LitFirst first)
{
    uint8_t end[3 * LIT_SHORT + LIT_LEAD];
    size_t p = 0;
    while (scan->n - p >= LIT_LEAD + LIT_SHORT && !scan->stopped) {
        const size_t room = (scan->n - p - LIT_LEAD) / LIT_SHORT * LIT_SHORT;
        const uint32_t n = room < LIT_TILE ? (uint32_t)room : LIT_TILE;
        lit_tile(scan, pass, first, scan->text + p, p, n, n);
        p += n;
    }
    if (p < scan->n && !scan->stopped) { /* less than LIT_LEAD + LIT_SHORT bytes are left, 144: three times LIT_SHORT hold them */
        const uint32_t left = (uint32_t)(scan->n - p), n = (left + LIT_SHORT - 1) / LIT_SHORT * LIT_SHORT;
        memset(end + left, 0, n + LIT_LEAD - left);
        memcpy(end, scan->text + p, left);
        lit_tile(scan, pass, first, end, p, n, left);
    }
}

#include "literals_simd.h"

/* Scan the whole text. The caller has filled head, text, n, mode, level and what the mode needs. */
static void lit_scan(LitScan *scan)
{
    scan->summary = scan->seen == NULL ? NULL : scan->seen + lit_seen_words(scan->head->n);
    for (uint32_t i = 0; i < scan->head->n_passes && !scan->stopped; i++) {
        const LitPass *pass = scan->head->passes + i;
        lit_pass(scan, pass, lit_first_for(pass, scan->level));
    }
}

#endif
