/* Automata that say which of many expressions may match a text: one step a byte.
 *
 * There are two looks at a text. The first is by joint automata, each of up to 64 expressions and exact only for the
 * first bytes of a match; they belong to kinds of text, so that a text is read by those of its kind alone. The second
 * is by the automaton that each expression has of its own. An entry of a row is the number of the next row, so that a
 * step is one load; its top bit says that expressions have been passed, which a mask a row tells. States that were not
 * made lead to a row that stays and says "any of them": what is left out can only say yes too often.
 */
#ifndef MXWARD_SIEVE_H
#define MXWARD_SIEVE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SIEVE_MAGIC 0x345645495358004Dull
#define SIEVE_GROUP 64          /* expressions of a group: bits of a mask */
#define SIEVE_LANES 8           /* groups that step together, so that their loads overlap */
#define SIEVE_HIT 0x8000u       /* in an entry */
#define SIEVE_MAX_ROWS (1u << 22)

typedef struct {
    uint64_t magic, checksum, size; /* checksum: of what follows it; size: of the block, in bytes */
    uint32_t n_joint, n;            /* groups of the first look; expressions, each with a group behind those */
    uint32_t n_kinds, n_rows;       /* kinds of text; rows of all groups */
    uint64_t n_entries;             /* of all rows */
    /* SieveGroup groups[n_joint + n]; uint64_t masks[n_rows]; uint32_t kinds[n_kinds + 1], filled up to 8 bytes;
       uint16_t entries[n_entries]. Joint groups of kind k are kinds[k] ... kinds[k + 1] - 1. */
} SieveHead;

typedef struct {
    uint64_t entry;               /* where its rows begin; the first of them is that of the start */
    uint32_t row, n_rows;         /* where its masks begin */
    uint32_t shift, spare;        /* a row has 1 << shift entries */
    uint32_t member[SIEVE_GROUP]; /* numbers of its expressions; what is not used is a copy of the first */
    uint8_t classes[256];         /* of bytes: below 1 << shift */
} SieveGroup;

static inline const SieveGroup *sieve_groups(const SieveHead *head) { return (const SieveGroup *)(head + 1); }

static inline const uint64_t *sieve_masks(const SieveHead *head) {
    return (const uint64_t *)(sieve_groups(head) + head->n_joint + head->n);
}

static inline const uint32_t *sieve_kinds(const SieveHead *head) {
    return (const uint32_t *)(sieve_masks(head) + head->n_rows);
}

static inline const uint16_t *sieve_entries(const SieveHead *head) {
    return (const uint16_t *)(sieve_kinds(head) + ((head->n_kinds + 2) & ~1u));
}

static inline uint64_t sieve_size(uint64_t n_groups, uint64_t n_rows, uint64_t n_kinds, uint64_t n_entries) {
    return sizeof(SieveHead) + sizeof(SieveGroup) * n_groups + 8 * n_rows + 4 * ((n_kinds + 2) & ~1ull)
         + ((n_entries * 2 + 7) & ~7ull);
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

static int sieve_is_sound(const SieveHead *head, const SieveGroup *g) {
    if (g->shift < 1 || g->shift > 8 || g->n_rows < 1 || g->row >= head->n_rows || g->n_rows > head->n_rows - g->row)
        return 0;
    const uint64_t n_entries = (uint64_t)g->n_rows << g->shift;
    if (g->entry > head->n_entries || n_entries > head->n_entries - g->entry) return 0;
    for (uint32_t i = 0; i < 256; i++)
        if (g->classes[i] >= 1u << g->shift) return 0;
    for (uint32_t k = 0; k < SIEVE_GROUP; k++)
        if (g->member[k] >= head->n) return 0;
    const uint16_t *entries = sieve_entries(head) + g->entry;
    for (uint64_t k = 0; k < n_entries; k++)
        if ((entries[k] & ~SIEVE_HIT) >= g->n_rows) return 0;
    return 1;
}

/* Every index that a scan follows is checked here, once. */
static int sieve_is_valid(const uint8_t *block, size_t size) {
    const SieveHead *head = (const SieveHead *)block;
    if (size < sizeof(SieveHead) || head->magic != SIEVE_MAGIC || head->size != size || size % 8) return 0;
    if (head->checksum != sieve_sum(block + 16, size - 16)) return 0;
    if (head->n_rows > SIEVE_MAX_ROWS || head->n_joint > SIEVE_MAX_ROWS || head->n > SIEVE_MAX_ROWS) return 0;
    if (head->n_kinds > SIEVE_MAX_ROWS || head->n_entries > (uint64_t)SIEVE_MAX_ROWS << 8) return 0;
    if (size != sieve_size((uint64_t)head->n_joint + head->n, head->n_rows, head->n_kinds, head->n_entries)) return 0;
    const uint32_t *kinds = sieve_kinds(head);
    if (kinds[0] != 0 || kinds[head->n_kinds] != head->n_joint) return 0;
    for (uint32_t k = 0; k < head->n_kinds; k++)
        if (kinds[k] > kinds[k + 1]) return 0;
    for (uint32_t i = 0; i < head->n_joint + head->n; i++)
        if (!sieve_is_sound(head, sieve_groups(head) + i)) return 0;
    return 1;
}

typedef struct {
    const uint16_t *entries;
    const uint64_t *masks;
    const uint8_t *classes;
    uint32_t shift;
} SieveRows; /* of a group */

static inline SieveRows sieve_rows(const SieveHead *head, const SieveGroup *g) {
    return (SieveRows){sieve_entries(head) + g->entry, sieve_masks(head) + g->row, g->classes, g->shift};
}

/* One step: `row` is one of the group's and a class is below a row's width, so the entry is one of the group's. */
static inline __attribute__((always_inline)) uint32_t sieve_step(const SieveRows *rows, uint32_t row, uint8_t byte,
                                                                 uint64_t *seen) {
    uint32_t to = rows->entries[((size_t)row << rows->shift) + rows->classes[byte]];
    if (__builtin_expect(to & SIEVE_HIT, 0)) {
        to &= ~SIEVE_HIT;
        *seen |= rows->masks[to];
    }
    return to;
}

static void sieve_four(const SieveRows *rows, const uint8_t *text, size_t n, uint64_t *seen) {
    uint32_t a = 0, b = 0, c = 0, d = 0;
    for (size_t i = 0; i < n; i++) {
        a = sieve_step(&rows[0], a, text[i], &seen[0]);
        b = sieve_step(&rows[1], b, text[i], &seen[1]);
        c = sieve_step(&rows[2], c, text[i], &seen[2]);
        d = sieve_step(&rows[3], d, text[i], &seen[3]);
    }
}

static void sieve_eight(const SieveRows *rows, const uint8_t *text, size_t n, uint64_t *seen) {
    uint32_t a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
    for (size_t i = 0; i < n; i++) {
        a = sieve_step(&rows[0], a, text[i], &seen[0]);
        b = sieve_step(&rows[1], b, text[i], &seen[1]);
        c = sieve_step(&rows[2], c, text[i], &seen[2]);
        d = sieve_step(&rows[3], d, text[i], &seen[3]);
        e = sieve_step(&rows[4], e, text[i], &seen[4]);
        f = sieve_step(&rows[5], f, text[i], &seen[5]);
        g = sieve_step(&rows[6], g, text[i], &seen[6]);
        h = sieve_step(&rows[7], h, text[i], &seen[7]);
    }
}

/* Which members of `n_groups` groups, SIEVE_LANES at most, may match the text: bits of `seen`, a word a group. */
static void sieve_scan(const SieveHead *head, const uint32_t *groups, uint32_t n_groups, const uint8_t *text, size_t n,
                       uint64_t *seen) {
    SieveRows rows[SIEVE_LANES];
    memset(seen, 0, SIEVE_LANES * sizeof(uint64_t));
    if (n_groups == 0) return;
    for (uint32_t lane = 0; lane < SIEVE_LANES; lane++) /* spare ones go the way of the last group */
        rows[lane] = sieve_rows(head, sieve_groups(head) + groups[lane < n_groups ? lane : n_groups - 1]);
    if (n_groups > 4) {
        sieve_eight(rows, text, n, seen);
    } else if (n_groups > 1) {
        sieve_four(rows, text, n, seen);
    } else {
        uint32_t row = 0;
        for (size_t i = 0; i < n; i++) row = sieve_step(&rows[0], row, text[i], &seen[0]);
    }
}

#endif
