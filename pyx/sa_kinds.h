/* How many kinds of words two texts have, and how many of one stand more often there than in the other.
 *
 * Open addressing; words are compared as bytes and stay where they are: the texts must outlive the table. The hash has a
 * secret of the process, so that no sender can choose words that collide. */
#ifndef MXWARD_SA_KINDS_H
#define MXWARD_SA_KINDS_H

#include <Python.h>
#include <stdlib.h>
#include <string.h>

typedef struct { const uint8_t *word; uint64_t hash; size_t size; uint32_t n[2]; } sw_entry;

typedef struct {
    sw_entry *entries;  /* a power of two of them, at most half taken; word NULL: free */
    size_t mask, used;
    uint64_t secret;
    size_t kinds[2];    /* words that each side has */
} sw_table;

static inline uint64_t sw_mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t sw_hash(const uint8_t *s, size_t n, uint64_t secret)
{
    uint64_t hash = secret ^ n, a;
    for (; n > 8; s += 8, n -= 8) {
        memcpy(&a, s, 8);
        hash = sw_mix(hash ^ a, secret | 1);
    }
    a = 0;
    memcpy(&a, s, n);  /* n <= 8 */
    hash = sw_mix(hash ^ a, secret | 1);
    return sw_mix(hash ^ 0x9E3779B97F4A7C15u, secret ^ 0xD6E8FEB86659FD93u);
}

/* Room for `size` entries, a power of two; what was there is kept. 0, or -1 when there is no memory. */
static int sw_room(sw_table *t, size_t size)
{
    sw_entry *entries = calloc(size, sizeof *entries);
    if (!entries) return -1;
    for (size_t i = 0; t->entries && i <= t->mask; i++) {
        if (!t->entries[i].word) continue;
        size_t at = t->entries[i].hash & (size - 1);
        while (entries[at].word) at = (at + 1) & (size - 1);
        entries[at] = t->entries[i];
    }
    free(t->entries);
    t->entries = entries;
    t->mask = size - 1;
    return 0;
}

/* Counts a word on a side, 0 or 1. 0, or -1 when there is no memory. */
static int sw_add(sw_table *t, const uint8_t *word, size_t n, int side)
{
    uint64_t hash = sw_hash(word, n, t->secret);
    if (2 * t->used > t->mask && sw_room(t, 2 * (t->mask + 1)) < 0) return -1;
    size_t at = hash & t->mask;
    sw_entry *entry;
    while ((entry = &t->entries[at])->word) {
        if (entry->hash == hash && entry->size == n && !memcmp(entry->word, word, n)) break;
        at = (at + 1) & t->mask;
    }
    if (!entry->word) {
        entry->word = word; entry->hash = hash; entry->size = n;
        t->used++;
    }
    t->kinds[side] += !entry->n[side];
    entry->n[side]++;
    return 0;
}

/* Words of side 0 that stand more often there than on side 1. */
static size_t sw_left(const sw_table *t)
{
    size_t left = 0;
    for (size_t i = 0; i <= t->mask; i++) left += t->entries[i].n[0] > t->entries[i].n[1];
    return left;
}

/* The character of UTF-8 at s[p], well-formed as the caller knows, and its size. */
static inline uint32_t sw_character(const uint8_t *s, size_t p, size_t *size)
{
    uint8_t c = s[p];
    if (c < 0x80) { *size = 1; return c; }
    if (c < 0xE0) { *size = 2; return (uint32_t)(c & 31) << 6 | (s[p + 1] & 63); }
    if (c < 0xF0) { *size = 3; return (uint32_t)(c & 15) << 12 | (uint32_t)(s[p + 1] & 63) << 6 | (s[p + 2] & 63); }
    *size = 4;
    return (uint32_t)(c & 7) << 18 | (uint32_t)(s[p + 1] & 63) << 12 | (uint32_t)(s[p + 2] & 63) << 6 | (s[p + 3] & 63);
}

/* Bytes of the white space at s[p], 0 when it is none. Wide: Unicode's, else that of ASCII. */
static inline size_t sw_space(const uint8_t *s, size_t p, int is_wide)
{
    uint8_t c = s[p];
    size_t size;
    if (c < 0x80) return c == ' ' || (c >= 9 && c <= 13) || (is_wide && c >= 0x1C && c <= 0x1F);
    if (!is_wide || (c != 0xC2 && c != 0xE1 && c != 0xE2 && c != 0xE3)) return 0;  /* no white space begins otherwise */
    return Py_UNICODE_ISSPACE(sw_character(s, p, &size)) ? size : 0;
}

/* Whether a word has a letter, a digit or "_". */
static int sw_is_word(const uint8_t *s, size_t n, int is_wide)
{
    int is_ascii = 1;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = s[i];
        if ((uint8_t)((c | 32) - 'a') < 26 || (uint8_t)(c - '0') < 10 || c == '_') return 1;
        is_ascii &= c < 0x80;
    }
    if (is_ascii || !is_wide) return 0;
    for (size_t p = 0, size; p < n; p += size) if (Py_UNICODE_ISALNUM(sw_character(s, p, &size))) return 1;
    return 0;
}

/* Counts the first `limit` words of n bytes, when wide well-formed UTF-8, on a side. 0, or -1 when there is no memory. */
static int sw_count(sw_table *t, const uint8_t *s, size_t n, int is_wide, int side, size_t limit)
{
    size_t p = 0, size;
    while (p < n && limit--) {
        while (p < n && (size = sw_space(s, p, is_wide))) p += size;
        size_t from = p;
        while (p < n && !sw_space(s, p, is_wide)) p++;
        if (p > from && sw_is_word(s + from, p - from, is_wide) && sw_add(t, s + from, p - from, side) < 0) return -1;
    }
    return 0;
}

#endif
