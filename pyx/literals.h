/* A compiled set of literals: its layout in memory, and what is done with a place that may hold one.

   Patterns are looked for in three steps. A bitmap of hashes of the first bytes of a window asks, at every position or
   every second one, whether any pattern may have its window there (literals_scan.h, literals_simd.h). The few positions
   that remain ask a bitmap of longer windows, one for each class of length. What then remains leads to entries, which
   compare eight bytes, and the rest of the pattern where it has more (here).

   Which window of a pattern is looked for was chosen by literals_build.h: one that text seldom holds and that few
   other patterns have. Windows are folded by |0x20; entries compare exactly. */
#ifndef MXWARD_LITERALS_H
#define MXWARD_LITERALS_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "compiled literals are little-endian"
#endif

enum { LIT_CASELESS = 1, LIT_WORD = 2, LIT_PLAIN = 4 }; /* PLAIN: no pattern of this entry's chain has WORD */
enum { LIT_MAX_PASSES = 4, LIT_MAX_CLASSES = 3, LIT_MAX_SIZE = 65535, LIT_CROWD = 16, LIT_TILE = 1024 };
enum { LIT_SEEN, LIT_COUNT, LIT_FIND, LIT_CALL }; /* what a scan collects */

#define LIT_MAGIC 0x0133303054494C4DULL /* "MLIT003" 1 */
#define LIT_FOLD8 0x2020202020202020ULL
#define LIT_HASH 0x9E3779B1u
#define LIT_HASH8 0x9E3779B97F4A7C15ULL
#define LIT_NONE 0xFFFFFFFFu

typedef struct {
    uint64_t want;   /* up to eight bytes of the pattern that hold the window, caseless letters in upper case */
    uint64_t mask;   /* bits of text that are compared with `want` */
    uint32_t number; /* of the pattern */
    uint32_t at;     /* the pattern's first byte in the pool; caseless patterns stand there in lower case */
    uint16_t size;   /* of the pattern, bytes, 1 or more */
    uint16_t before; /* bytes of the pattern before the window */
    uint8_t back;    /* bytes of `want` before the window, at most before and 7 */
    uint8_t flags;
    uint8_t is_whole; /* `want` is the whole pattern, and no word boundary is asked for */
    uint8_t unused;
} LitEntry; /* in a crowded slot, see lit_check_crowd: mask is the number of the entry's parent, want two lengths */

typedef struct {
    uint32_t q, bitmap_bits, slot_bits, n_entries, crowd, unused; /* crowd: entries of the fullest slot */
    uint64_t bitmap, slots, entries;                             /* offsets from the head */
} LitClass;

typedef struct {
    uint32_t q, stride, bitmap_bits, n_classes;
    uint64_t bitmap;
    uint32_t factor, unused; /* of the first step's hash: odd, chosen so that common text is not taken for a window */
    uint8_t sets[4][64];     /* [byte of a window][its class]: a bit for each of eight groups of windows */
    LitClass classes[LIT_MAX_CLASSES];
} LitPass;

typedef struct {
    uint64_t magic, size, sum; /* sum: of everything after this field */
    uint32_t n, n_passes;
    uint64_t pool, pool_size;
    LitPass passes[LIT_MAX_PASSES];
} LitHead;

typedef struct {
    uint64_t start;
    uint32_t size, number;
} LitMatch;

typedef int (*LitCall)(void *context, uint32_t number, size_t start, size_t end); /* not 0: stop */

typedef struct {
    const LitHead *head;
    const uint8_t *text;
    size_t n;
    int mode;
    int level;         /* 0: portable code; 1: AVX2; 2: AVX-512 */
    int failed;        /* out of memory: what was collected is not complete */
    int stopped;       /* the call-back said so, every pattern was seen, or `total` was reached */
    uint64_t *seen;    /* a bit a pattern, then a bit for each word of those; zero at first; all modes but LIT_CALL */
    uint64_t *summary; /* where the latter begin */
    uint32_t *counts;  /* a pattern, zero at first; LIT_COUNT, LIT_FIND */
    uint32_t limit;    /* matches kept of one pattern; LIT_FIND */
    size_t total;      /* matches kept in all; LIT_FIND */
    size_t n_seen;     /* distinct patterns seen */
    LitMatch *matches; /* LIT_FIND; malloced here, freed by the caller */
    size_t n_matches, room;
    size_t differs; /* where text last differed from a long pattern: tried first, as repeats differ there again */
    LitCall call;
    void *context;
} LitScan;

/* Words that `seen` needs for n patterns: their bits, and a bit for each of these words. */
static inline size_t lit_seen_words(size_t n)
{
    return (n + 63) / 64;
}

static inline size_t lit_summary_words(size_t n)
{
    return (lit_seen_words(n) + 63) / 64;
}

static inline uint64_t lit_load8(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, 8);
    return value;
}

static inline uint32_t lit_load4(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, 4);
    return value;
}

static inline uint64_t lit_low_bytes(unsigned n)
{
    return n >= 8 ? ~0ULL : (1ULL << (8 * n)) - 1;
}

/* The hash of the first bytes of a window, q <= 4 of them. */
static inline uint32_t lit_hash4(uint32_t bytes, unsigned q, uint32_t factor)
{
    return ((bytes | (uint32_t)LIT_FOLD8) & (uint32_t)lit_low_bytes(q)) * factor;
}

/* The class of a byte, 0 to 63: alike for bytes that are alike when folded. */
static inline unsigned lit_class(uint8_t byte)
{
    return (byte & 0x1F) | (byte >> 1 & 0x20);
}

/* The hash of a window of q <= 8 bytes, the lowest of `folded`. */
static inline uint32_t lit_hash8(uint64_t folded, unsigned q)
{
    return (uint32_t)(((folded & lit_low_bytes(q)) * LIT_HASH8) >> 32);
}

/* Eight bytes with A-Z in lower case. A byte b < 128 is in A..Z when b + 63 reaches 128 and b + 37 does not. */
static inline uint64_t lit_lower8(uint64_t x)
{
    const uint64_t low = x & 0x7F7F7F7F7F7F7F7FULL;
    const uint64_t from_a = low + 0x3F3F3F3F3F3F3F3FULL, past_z = low + 0x2525252525252525ULL;
    return x | (((from_a ^ past_z) & ~x & 0x8080808080808080ULL) >> 2);
}

static inline uint8_t lit_lower(uint8_t b)
{
    return (uint8_t)(b - 'A') < 26 ? (uint8_t)(b | 0x20) : b;
}

static inline int lit_is_word(uint8_t b)
{
    return (uint8_t)((b | 0x20) - 'a') < 26 || (uint8_t)(b - '0') < 10 || b == '_';
}

/* How many of the first `size` bytes of text, from `from` on, are the pattern's: `size` when all are. */
static inline size_t lit_common(const uint8_t *text, const uint8_t *pattern, size_t from, size_t size, int caseless)
{
    size_t i = from;
    for (; i + 8 <= size; i += 8) {
        const uint64_t have = lit_load8(text + i);
        const uint64_t unlike = (caseless ? lit_lower8(have) : have) ^ lit_load8(pattern + i);
        if (unlike)
            return i + (unsigned)__builtin_ctzll(unlike) / 8;
    }
    while (i < size && (caseless ? lit_lower(text[i]) : text[i]) == pattern[i])
        i++;
    return i;
}

static int lit_more_room(LitScan *scan)
{
    const size_t room = scan->room ? scan->room * 2 : 64;
    LitMatch *wider = realloc(scan->matches, room * sizeof(LitMatch));
    if (wider == NULL) {
        scan->failed = scan->stopped = 1;
        return 0;
    }
    scan->matches = wider;
    scan->room = room;
    return 1;
}

static inline void lit_see(LitScan *scan, uint32_t number)
{
    const uint32_t word = number >> 6;
    scan->seen[word] |= 1ULL << (number & 63);
    scan->summary[word >> 6] |= 1ULL << (word & 63);
    if (++scan->n_seen == scan->head->n && scan->mode == LIT_SEEN)
        scan->stopped = 1;
}

/* Note a pattern of `size` bytes at `start`. */
static void lit_report(LitScan *scan, uint32_t number, size_t start, uint32_t size)
{
    if (scan->mode == LIT_SEEN) {
        if (!(scan->seen[number >> 6] >> (number & 63) & 1))
            lit_see(scan, number);
        return;
    }
    if (scan->mode == LIT_CALL) {
        scan->stopped |= scan->call(scan->context, number, start, start + size) != 0;
        return;
    }
    if (scan->mode == LIT_FIND && scan->counts[number] >= scan->limit)
        return;
    if (scan->counts[number]++ == 0)
        lit_see(scan, number);
    if (scan->mode != LIT_FIND || (scan->n_matches == scan->room && !lit_more_room(scan)))
        return;
    scan->matches[scan->n_matches++] = (LitMatch){start, size, number};
    scan->stopped |= scan->n_matches >= scan->total;
}

/* Is there nothing more to learn about this pattern? */
static inline int lit_is_done(const LitScan *scan, uint32_t number)
{
    if (scan->mode == LIT_SEEN)
        return scan->seen[number >> 6] >> (number & 63) & 1;
    return scan->mode == LIT_FIND && scan->counts[number] >= scan->limit;
}

/* Do word boundaries stand where the pattern wants them? It lies at start, inside of the text. */
static inline int lit_is_apart(const LitScan *scan, size_t start, size_t size)
{
    const uint8_t *at = scan->text + start;
    if (start > 0 && lit_is_word(at[0]) && lit_is_word(at[-1]))
        return 0;
    return !(start + size < scan->n && lit_is_word(at[size - 1]) && lit_is_word(at[size]));
}

/* The window of an entry may stand at p: is the whole pattern there? */
static void lit_verify(LitScan *scan, const LitEntry *entry, size_t p)
{
    const uint8_t *want = (const uint8_t *)scan->head + scan->head->pool + entry->at;
    const size_t size = entry->size;
    const int caseless = entry->flags & LIT_CASELESS;
    size_t start, same;
    if (p < entry->before || lit_is_done(scan, entry->number))
        return;
    start = p - entry->before; /* <= p < n */
    if (scan->n - start < size)
        return;
    if (size > 64 && scan->differs - start < size) { /* differs >= start, unless it wraps and is large */
        const uint8_t byte = scan->text[scan->differs];
        if ((caseless ? lit_lower(byte) : byte) != want[scan->differs - start])
            return;
    }
    same = lit_common(scan->text + start, want, 0, size, caseless);
    if (same < size) {
        scan->differs = start + same;
        return;
    }
    if (!(entry->flags & LIT_WORD) || lit_is_apart(scan, start, size))
        lit_report(scan, entry->number, start, (uint32_t)size);
}

/* An entry against the text around p. */
static inline void lit_try(LitScan *scan, const LitEntry *entry, size_t p)
{
    const size_t from = p - entry->back;
    if (p < entry->back)
        return;
    if (from + 8 <= scan->n) {
        if ((lit_load8(scan->text + from) & entry->mask) != entry->want)
            return;
        if (entry->is_whole) {
            lit_report(scan, entry->number, from, entry->size);
            return;
        }
    }
    lit_verify(scan, entry, p);
}

/* Entries first to end - 1 have the same `before` and case and are sorted: the last that is not above the text at `at`,
   or LIT_NONE. *same: how many bytes it has in common with the text. `want` of each entry is how many bytes it has in
   common with the entries between which the search looks at it: below, and above in the next 16 bits. So no byte of the
   text is compared twice (Manber and Myers, Suffix arrays, 1993). */
static uint32_t lit_search(
    const LitScan *scan, const LitEntry *entries, uint32_t first, uint32_t end, const uint8_t *at, size_t room,
    size_t *same)
{
    const uint8_t *pool = (const uint8_t *)scan->head + scan->head->pool;
    const int caseless = entries[first].flags & LIT_CASELESS;
    size_t below = 0, above = 0; /* bytes that the entries next to [low, high) have in common with the text */
    uint32_t low = first, high = end;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const LitEntry *entry = entries + middle;
        const uint8_t *want = pool + entry->at;
        const size_t known = below >= above ? entry->want & 0xFFFF : entry->want >> 16 & 0xFFFF;
        const size_t most = below >= above ? below : above, size = entry->size < room ? entry->size : room;
        int is_above; /* does the entry sort after the text? */
        size_t common = known;
        if (known > most) { /* as near to its neighbour as the text is not: on the neighbour's side */
            is_above = below < above;
            common = most;
        } else if (known < most) { /* the text is nearer to the neighbour */
            is_above = below >= above;
        } else {
            common = lit_common(at, want, most < size ? most : size, size, caseless);
            if (common < size)
                is_above = want[common] > (caseless ? lit_lower(at[common]) : at[common]);
            else
                is_above = entry->size > room;
        }
        if (is_above) {
            high = middle;
            above = common;
        } else {
            low = middle + 1;
            below = common;
        }
    }
    *same = below < room ? below : room;
    return low > first ? low - 1 : LIT_NONE;
}

/* Where the entries with the same `before` and case as the first one end. */
static uint32_t lit_group_end(const LitEntry *entries, uint32_t first, uint32_t end)
{
    uint32_t low = first;
    while (low < end) {
        const uint32_t middle = low + (end - low) / 2;
        if (entries[middle].before == entries[first].before &&
            (entries[middle].flags & LIT_CASELESS) == (entries[first].flags & LIT_CASELESS))
            low = middle + 1;
        else
            end = middle;
    }
    return low;
}

/* A crowded slot, of patterns whose windows stand at their begin, by (before, case, bytes of the whole pattern): every
   pattern that is a prefix of the text is the last one that is not above the text, or on its chain of parents, and is
   as long as what that one and the text have in common, or shorter. So a place costs its matches, one comparison as
   long as the longest of them, and a binary search for each of at most four groups. */
static void lit_check_crowd(LitScan *scan, const LitEntry *entries, uint32_t first, uint32_t end, size_t p)
{
    while (first < end && !scan->stopped) {
        const uint32_t next = lit_group_end(entries, first, end), before = entries[first].before;
        size_t same = 0;
        uint32_t found = LIT_NONE;
        if (p >= before)
            found = lit_search(scan, entries, first, next, scan->text + p - before, scan->n - p + before, &same);
        for (; found != LIT_NONE && !scan->stopped; found = (uint32_t)entries[found].mask) {
            const LitEntry *entry = entries + found;
            if (entry->size > same)
                continue;
            if (entry->flags & LIT_PLAIN && lit_is_done(scan, entry->number))
                break; /* its parents are as well: they stand wherever it does */
            if (!(entry->flags & LIT_WORD) || lit_is_apart(scan, p - before, entry->size))
                lit_report(scan, entry->number, p - before, entry->size);
        }
        first = next > first ? next : end;
    }
}

#endif
