/* Automata that say which of many expressions may match a text: one step a byte for up to 64 of them.
 *
 * A block holds one table of rows, a row a state, and groups: the first row of each, and its expressions. All groups
 * share the classes of bytes. An entry of a row is the number of the next row in the group, so that a step is one load;
 * its top bit says that expressions have been passed, which a mask a row tells. States that were not made lead to a
 * row that stays and says "any of them": what is left out can only say yes too often.
 */
#ifndef MXWARD_SIEVE_H
#define MXWARD_SIEVE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SIEVE_MAGIC 0x335645495358004Dull
#define SIEVE_GROUP 64          /* expressions of a group: bits of a mask */
#define SIEVE_LANES 8           /* groups that step together, so that their loads overlap */
#define SIEVE_HIT 0x8000u       /* in an entry */
#define SIEVE_MAX_ROWS (1u << 22)

typedef struct {
    uint64_t magic, checksum, size; /* checksum: of what follows it; size: of the block, in bytes */
    uint32_t n_groups, n;           /* n: expressions */
    uint32_t n_rows, shift;         /* a row has 1 << shift entries */
    uint8_t classes[256];           /* of bytes: below 1 << shift */
    /* SieveGroup groups[n_groups]; uint64_t masks[n_rows]; uint16_t entries[n_rows << shift]; */
} SieveHead;

typedef struct {
    uint32_t first, n_rows;       /* rows; the first of them is that of the start */
    uint32_t member[SIEVE_GROUP]; /* numbers of its expressions; what is not used is a copy of the first */
} SieveGroup;

static inline const SieveGroup *sieve_groups(const SieveHead *head) { return (const SieveGroup *)(head + 1); }

static inline const uint64_t *sieve_masks(const SieveHead *head) {
    return (const uint64_t *)(sieve_groups(head) + head->n_groups);
}

static inline const uint16_t *sieve_entries(const SieveHead *head) {
    return (const uint16_t *)(sieve_masks(head) + head->n_rows);
}

static inline size_t sieve_size(uint64_t n_groups, uint64_t n_rows, uint32_t shift) {
    return sizeof(SieveHead) + sizeof(SieveGroup) * n_groups + 8 * n_rows + (((n_rows << shift) * 2 + 7) & ~7ull);
}

static uint64_t sieve_sum(const uint8_t *data, size_t size) {
    uint64_t sum = 0x9E3779B97F4A7C15ull ^ size, word;
    for (size_t i = 0; i + 8 <= size; i += 8) { /* size is a multiple of 8 */
        memcpy(&word, data + i, 8);
        sum = (sum ^ word) * 0xD6E8FEB86659FD93ull;
        sum ^= sum >> 32;
    }
    return sum;
}

/* Every index that a scan follows is checked here, once. */
static int sieve_is_valid(const uint8_t *block, size_t size) {
    const SieveHead *head = (const SieveHead *)block;
    if (size < sizeof(SieveHead) || head->magic != SIEVE_MAGIC || head->size != size || size % 8) return 0;
    if (head->checksum != sieve_sum(block + 16, size - 16)) return 0;
    if (head->shift < 1 || head->shift > 8 || head->n_rows > SIEVE_MAX_ROWS || head->n_groups > SIEVE_MAX_ROWS) return 0;
    if (size != sieve_size(head->n_groups, head->n_rows, head->shift)) return 0;
    for (uint32_t i = 0; i < 256; i++)
        if (head->classes[i] >= 1u << head->shift) return 0;
    for (uint32_t i = 0; i < head->n_groups; i++) {
        const SieveGroup *g = sieve_groups(head) + i;
        if (g->first >= head->n_rows || g->n_rows > head->n_rows - g->first || g->n_rows < 1) return 0;
        for (uint32_t k = 0; k < SIEVE_GROUP; k++)
            if (g->member[k] >= head->n) return 0;
        const uint16_t *entries = sieve_entries(head) + ((size_t)g->first << head->shift);
        for (size_t k = 0; k < (size_t)g->n_rows << head->shift; k++)
            if ((entries[k] & ~SIEVE_HIT) >= g->n_rows) return 0;
    }
    return 1;
}

typedef struct {
    const uint16_t *entries;
    const uint64_t *masks;
} SieveRows; /* of a group */

static inline SieveRows sieve_rows(const SieveHead *head, const SieveGroup *g) {
    return (SieveRows){sieve_entries(head) + ((size_t)g->first << head->shift), sieve_masks(head) + g->first};
}

/* One step: `row` is one of the group's and `kind` below a row's width, so the entry is one of the group's. */
static inline __attribute__((always_inline)) uint32_t sieve_step(const SieveRows *rows, uint32_t row, uint32_t kind,
                                                                 uint32_t shift, uint64_t *seen) {
    uint32_t to = rows->entries[((size_t)row << shift) + kind];
    if (__builtin_expect(to & SIEVE_HIT, 0)) {
        to &= ~SIEVE_HIT;
        *seen |= rows->masks[to];
    }
    return to;
}

/* Which members of eight groups may match the text. */
static void sieve_eight(const SieveHead *head, const SieveRows *rows, const uint8_t *text, size_t n, uint64_t *seen) {
    const uint32_t shift = head->shift;
    uint32_t a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t kind = head->classes[text[i]];
        a = sieve_step(&rows[0], a, kind, shift, &seen[0]);
        b = sieve_step(&rows[1], b, kind, shift, &seen[1]);
        c = sieve_step(&rows[2], c, kind, shift, &seen[2]);
        d = sieve_step(&rows[3], d, kind, shift, &seen[3]);
        e = sieve_step(&rows[4], e, kind, shift, &seen[4]);
        f = sieve_step(&rows[5], f, kind, shift, &seen[5]);
        g = sieve_step(&rows[6], g, kind, shift, &seen[6]);
        h = sieve_step(&rows[7], h, kind, shift, &seen[7]);
    }
}

/* Which members of `n_groups` groups, SIEVE_LANES at most, may match the text: bits of `seen`, a word a group. */
static void sieve_scan(const SieveHead *head, const SieveGroup *groups, uint32_t n_groups, const uint8_t *text, size_t n,
                       uint64_t *seen) {
    SieveRows rows[SIEVE_LANES];
    memset(seen, 0, SIEVE_LANES * sizeof(uint64_t));
    for (uint32_t lane = 0; lane < SIEVE_LANES; lane++) /* spare ones go the way of the last group */
        rows[lane] = sieve_rows(head, &groups[lane < n_groups ? lane : n_groups - 1]);
    if (n_groups > 2) {
        sieve_eight(head, rows, text, n, seen);
        return;
    }
    for (uint32_t lane = 0; lane < n_groups; lane++) {
        uint32_t row = 0;
        for (size_t i = 0; i < n; i++) row = sieve_step(&rows[lane], row, head->classes[text[i]], head->shift, &seen[lane]);
    }
}

#endif
