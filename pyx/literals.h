/* A compiled set of literals: its layout in memory and the scan of a text. Building it is literals_build.h.

   A pass holds patterns of like length. From each pattern a window of q bytes that text seldom holds was chosen, and
   entered once for each alignment to the stride; so the scan looks at every stride-th position only. There the hash
   of q bytes asks a bitmap; a hit leads to the slot of the hash, whose entries compare eight bytes around, then all.
   Bytes are folded by |0x20 up to the last comparison, which is exact. */
#ifndef MXWARD_LITERALS_H
#define MXWARD_LITERALS_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "compiled literals are little-endian"
#endif

enum { LIT_CASELESS = 1, LIT_WORD = 2, LIT_MAX_PASSES = 4, LIT_MAX_SIZE = 65535, LIT_CROWD = 16 };
enum { LIT_SEEN, LIT_COUNT, LIT_FIND, LIT_CALL }; /* what a scan collects */

#define LIT_MAGIC 0x0131303054494C4DULL /* "MLIT001" 1 */
#define LIT_FOLD8 0x2020202020202020ULL
#define LIT_HASH 0x9E3779B1u
#define LIT_HASH2 0x85EBCA77u

typedef struct {
    uint32_t at;   /* of the pool; caseless patterns stand there in lower case */
    uint16_t size; /* bytes, 1 or more */
    uint8_t flags;
    uint8_t unused;
} LitPattern;

typedef struct {
    uint64_t want;   /* up to eight bytes that hold the window, folded; above n_want zero */
    uint32_t number; /* of the pattern */
    uint16_t before; /* bytes of the pattern before the window */
    uint8_t n_want;  /* 1..8 */
    uint8_t back;    /* bytes of `want` before the window, at most before and 7 */
} LitEntry;

typedef struct {
    uint32_t q, stride, bitmap_bits, slot_bits, n_entries, crowd; /* crowd: entries of the fullest slot */
    uint64_t bitmap, slots, entries;                              /* offsets from the head */
} LitPass;

typedef struct {
    uint64_t magic, size, sum; /* sum: of everything after this field */
    uint32_t n, n_passes;
    uint64_t patterns, pool, pool_size;
    LitPass passes[LIT_MAX_PASSES];
} LitHead;

typedef struct {
    const LitHead *head;
    const LitPattern *patterns;
    const uint8_t *pool;
} LitSet;

typedef struct {
    uint64_t start;
    uint32_t size, number;
} LitMatch;

typedef int (*LitCall)(void *context, uint32_t number, size_t start, size_t end); /* not 0: stop */

typedef struct {
    const LitSet *set;
    const uint8_t *text;
    size_t n;
    int mode;
    int level;          /* 0: portable code; 2: AVX-512 as well */
    int failed;         /* out of memory: what was collected is not complete */
    int stopped;        /* the call-back said so, or every pattern was seen */
    uint64_t *seen;     /* bit a pattern; LIT_SEEN */
    uint32_t *counts;   /* a pattern; LIT_COUNT, LIT_FIND */
    uint32_t limit;     /* matches kept of one pattern; LIT_FIND */
    size_t total;       /* matches kept in all; LIT_FIND */
    uint32_t *numbers;  /* distinct patterns in order of discovery; LIT_SEEN, LIT_COUNT */
    LitMatch *matches;  /* LIT_FIND */
    size_t n_out, room; /* of numbers or matches */
    LitCall call;
    void *context;
} LitScan;

static inline uint64_t lit_load8(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, 8);
    return value;
}

/* Up to eight bytes at `p` < n; what lies beyond the text is zero. */
static inline uint64_t lit_peek(const uint8_t *text, size_t n, size_t p)
{
    uint64_t value = 0;
    if (n - p >= 8)
        return lit_load8(text + p);
    memcpy(&value, text + p, n - p);
    return value;
}

static inline uint64_t lit_mask(unsigned n_bytes)
{
    return n_bytes >= 8 ? ~0ULL : (1ULL << (8 * n_bytes)) - 1;
}

/* Eight bytes with A-Z in lower case. A byte b < 128 is in A..Z when b + 63 reaches 128 and b + 37 does not. */
static inline uint64_t lit_lower8(uint64_t x)
{
    uint64_t low = x & 0x7F7F7F7F7F7F7F7FULL;
    uint64_t from_a = low + 0x3F3F3F3F3F3F3F3FULL, past_z = low + 0x2525252525252525ULL;
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

/* Are `size` bytes at `text` the pattern, which is in lower case? Both have `size` bytes. */
static inline int lit_same_lower(const uint8_t *text, const uint8_t *pattern, size_t size)
{
    size_t i = 0;
    for (; i + 8 <= size; i += 8)
        if (lit_lower8(lit_load8(text + i)) != lit_load8(pattern + i))
            return 0;
    for (; i < size; i++)
        if (lit_lower(text[i]) != pattern[i])
            return 0;
    return 1;
}

static int lit_grow(LitScan *scan, size_t item)
{
    size_t room = scan->room ? scan->room * 2 : 64;
    void *old = scan->mode == LIT_FIND ? (void *)scan->matches : (void *)scan->numbers;
    void *wider = realloc(old, room * item);
    if (wider == NULL) {
        scan->failed = 1;
        return 0;
    }
    if (scan->mode == LIT_FIND)
        scan->matches = wider;
    else
        scan->numbers = wider;
    scan->room = room;
    return 1;
}

static void lit_note(LitScan *scan, uint32_t number)
{
    if (scan->n_out == scan->room && !lit_grow(scan, sizeof(uint32_t)))
        return;
    scan->numbers[scan->n_out++] = number;
    if (scan->mode == LIT_SEEN && scan->n_out == scan->set->head->n)
        scan->stopped = 1;
}

static void lit_report(LitScan *scan, uint32_t number, size_t start, uint32_t size)
{
    switch (scan->mode) {
    case LIT_SEEN:
        scan->seen[number >> 6] |= 1ULL << (number & 63);
        lit_note(scan, number);
        break;
    case LIT_COUNT:
        if (scan->counts[number]++ == 0)
            lit_note(scan, number);
        break;
    case LIT_FIND:
        if (scan->counts[number]++ >= scan->limit || scan->n_out >= scan->total)
            break;
        if (scan->n_out == scan->room && !lit_grow(scan, sizeof(LitMatch)))
            break;
        scan->matches[scan->n_out++] = (LitMatch){start, size, number};
        break;
    default:
        scan->stopped |= scan->call(scan->context, number, start, start + size) != 0;
    }
}

/* An entry whose eight bytes agree at p: is the whole pattern there? */
static void lit_verify(LitScan *scan, const LitEntry *entry, size_t p)
{
    const uint32_t number = entry->number;
    const LitPattern *pattern = scan->set->patterns + number;
    const uint8_t *want = scan->set->pool + pattern->at, *at;
    const size_t size = pattern->size;
    size_t start;
    if (scan->mode == LIT_SEEN && scan->seen[number >> 6] >> (number & 63) & 1)
        return;
    if (p < entry->before || scan->n - (start = p - entry->before) < size) /* start <= p < n */
        return;
    at = scan->text + start;
    if (pattern->flags & LIT_CASELESS ? !lit_same_lower(at, want, size) : memcmp(at, want, size) != 0)
        return;
    if (pattern->flags & LIT_WORD) {
        if (start > 0 && lit_is_word(at[0]) && lit_is_word(at[-1]))
            return;
        if (start + size < scan->n && lit_is_word(at[size - 1]) && lit_is_word(at[size]))
            return;
    }
    lit_report(scan, number, start, (uint32_t)size);
}

static inline unsigned lit_shape_of(const LitEntry *entry)
{
    return entry->back * 16u + entry->n_want;
}

/* The bytes of text that an entry's `want` is compared with when its window stands at p; 0 when it begins before. */
static inline uint64_t lit_around(const LitScan *scan, const LitEntry *entry, size_t p)
{
    return p < entry->back ? 0 : (lit_peek(scan->text, scan->n, p - entry->back) | LIT_FOLD8) & lit_mask(entry->n_want);
}

/* Entries of a full slot, which are sorted by (back, n_want, want): only those that agree are touched. */
static void lit_check_crowd(LitScan *scan, const LitEntry *entries, uint32_t first, uint32_t end, size_t p)
{
    while (first < end) {
        const unsigned shape = lit_shape_of(entries + first);
        const uint64_t key = lit_around(scan, entries + first, p);
        uint32_t low = first, high = end;
        while (low < high) { /* the first entry that is not below (shape, key) */
            const uint32_t middle = low + (high - low) / 2;
            const unsigned other = lit_shape_of(entries + middle);
            if (other < shape || (other == shape && entries[middle].want < key))
                low = middle + 1;
            else
                high = middle;
        }
        for (; low < end && lit_shape_of(entries + low) == shape && entries[low].want == key; low++)
            lit_verify(scan, entries + low, p);
        high = end;
        while (low < high) { /* the first entry of a greater shape */
            const uint32_t middle = low + (high - low) / 2;
            if (lit_shape_of(entries + middle) <= shape)
                low = middle + 1;
            else
                high = middle;
        }
        first = low;
    }
}

/* The bitmap knows `hash`, of the window at p < n: try the entries of its slot. */
static __attribute__((noinline)) void lit_check(LitScan *scan, const LitPass *pass, uint32_t hash, size_t p)
{
    const uint8_t *base = (const uint8_t *)scan->set->head;
    const uint32_t *slots = (const uint32_t *)(base + pass->slots);
    const LitEntry *entries = (const LitEntry *)(base + pass->entries);
    const uint32_t slot = hash >> (32 - pass->slot_bits);
    uint32_t i = slots[slot];
    const uint32_t end = slots[slot + 1];
    if (end - i > LIT_CROWD) {
        lit_check_crowd(scan, entries, i, end, p);
        return;
    }
    for (; i < end; i++)
        if (lit_around(scan, entries + i, p) == entries[i].want)
            lit_verify(scan, entries + i, p);
}

/* The hash of a window: of its first four bytes or fewer, and with q = 6 of its bytes 2 to 5. */
static inline uint32_t lit_window(uint64_t bytes, unsigned q)
{
    const uint32_t low = (uint32_t)bytes | 0x20202020u;
    if (q == 6)
        return low * LIT_HASH + ((uint32_t)(bytes >> 16) | 0x20202020u) * LIT_HASH2;
    return (q == 4 ? low : low & ((1u << (8 * (q & 3))) - 1)) * LIT_HASH;
}

/* One pass by scalar code: eight positions at a time, one branch for all of them. q and stride are constants. */
static inline __attribute__((always_inline)) void lit_pass_scalar(
    LitScan *scan, const LitPass *pass, size_t p, const unsigned q, const unsigned stride)
{
    const uint8_t *text = scan->text;
    const uint64_t *bitmap = (const uint64_t *)((const uint8_t *)scan->set->head + pass->bitmap);
    const unsigned shift = 32 - pass->bitmap_bits;
    const size_t n = scan->n;
    while (p + 7 * stride + 8 <= n && !scan->stopped) { /* the last of the eight loads ends at p + 7 * stride + 8 */
        uint32_t hash[8];
        unsigned hits = 0;
        for (unsigned j = 0; j < 8; j++) {
            hash[j] = lit_window(lit_load8(text + p + j * stride), q);
            hits |= (unsigned)(bitmap[hash[j] >> shift >> 6] >> (hash[j] >> shift & 63) & 1) << j;
        }
        for (; hits; hits &= hits - 1) {
            const unsigned j = (unsigned)__builtin_ctz(hits);
            lit_check(scan, pass, hash[j], p + j * stride);
        }
        p += 8 * stride;
    }
    for (; p + q <= n && !scan->stopped; p += stride) {
        const uint32_t hash = lit_window(lit_peek(text, n, p), q);
        if (bitmap[hash >> shift >> 6] >> (hash >> shift & 63) & 1)
            lit_check(scan, pass, hash, p);
    }
}

#if defined(__x86_64__)
#include <immintrin.h>

#define LIT_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,bmi,bmi2,popcnt")))
enum { LIT_AHEAD = 64, LIT_ROOM = 1024, LIT_REACH = 1 << 20 }; /* candidates sifted together; bytes of text they may lie apart */

/* Candidates of one pass: where a window's hash is known. */
typedef struct {
    uint32_t hash[LIT_ROOM + 16], at[LIT_ROOM + 16]; /* at: from `from` on; 16 more are written than count */
    size_t from;
    unsigned n;
} LitSieve;

/* Ask for the entries of the next candidates, so that the memory's latencies pass together. */
static void lit_fetch(const LitSieve *sieve, unsigned i, const uint32_t *slots, const LitEntry *entries, unsigned shift)
{
    const unsigned end = sieve->n - i < LIT_AHEAD ? sieve->n : i + LIT_AHEAD;
    for (unsigned k = i; k < end; k++)
        __builtin_prefetch(slots + (sieve->hash[k] >> shift));
    for (unsigned k = i; k < end; k++)
        __builtin_prefetch(entries + slots[sieve->hash[k] >> shift]);
}

/* Compare the entries of eight candidates at a time with the text; the few that agree are verified one by one.
   Every candidate has eight bytes of text from its window on. */
static LIT_AVX512 void lit_sift(LitScan *scan, const LitPass *pass, LitSieve *sieve)
{
    const uint8_t *base = (const uint8_t *)scan->set->head;
    const uint32_t *slots = (const uint32_t *)(base + pass->slots);
    const LitEntry *entries = (const LitEntry *)(base + pass->entries);
    const __m128i shift = _mm_cvtsi32_si128((int)(32 - pass->slot_bits));
    const __m512i fold = _mm512_set1_epi64(LIT_FOLD8), low32 = _mm512_set1_epi64(0xFFFFFFFF);
    const __m512i zero = _mm512_setzero_si512();
    const __m512i ones = _mm512_set1_epi64(-1), one = _mm512_set1_epi64(1), crowd = _mm512_set1_epi64(LIT_CROWD);
    uint64_t index[8] __attribute__((aligned(64)));
    for (unsigned i = 0; i < sieve->n && !scan->stopped; i += 8) {
        if (i % LIT_AHEAD == 0)
            lit_fetch(sieve, i, slots, entries, 32 - pass->slot_bits);
        const __mmask8 given = sieve->n - i >= 8 ? 0xFF : (__mmask8)((1u << (sieve->n - i)) - 1);
        const __m256i at = _mm256_loadu_si256((const __m256i *)(sieve->at + i));
        const __m256i slot = _mm256_srl_epi32(_mm256_loadu_si256((const __m256i *)(sieve->hash + i)), shift);
        /* slots has one more than 2^slot_bits items: begin and end stand side by side */
        const __m512i range = _mm512_mask_i32gather_epi64(zero, given, slot, (const long long *)slots, 4);
        const __m512i place = _mm512_add_epi64(_mm512_cvtepu32_epi64(at), _mm512_set1_epi64((long long)sieve->from));
        __m512i entry = _mm512_and_si512(range, low32);
        const __m512i end = _mm512_srli_epi64(range, 32);
        __mmask8 live = _mm512_mask_cmplt_epu64_mask(given, entry, end);
        __mmask8 full = _mm512_mask_cmpgt_epu64_mask(live, _mm512_sub_epi64(end, entry), crowd);
        live &= (__mmask8)~full;
        for (; full; full &= (__mmask8)(full - 1)) {
            const unsigned lane = i + (unsigned)__builtin_ctz(full);
            lit_check(scan, pass, sieve->hash[lane], sieve->from + sieve->at[lane]);
        }
        while (live) {
            const __m512i index2 = _mm512_slli_epi64(entry, 1); /* an entry is two words */
            const __m512i want = _mm512_mask_i64gather_epi64(zero, live, index2, (const long long *)entries, 8);
            const __m512i rest = _mm512_mask_i64gather_epi64(zero, live, index2, (const long long *)entries + 1, 8);
            const __m512i n_bits = _mm512_slli_epi64(_mm512_srli_epi64(_mm512_slli_epi64(rest, 8), 56), 3);
            const __m512i mask = _mm512_andnot_si512(_mm512_sllv_epi64(ones, n_bits), ones);
            const __m512i back = _mm512_srli_epi64(rest, 56);
            const __mmask8 fits = _mm512_mask_cmple_epu64_mask(live, back, place); /* does not begin before the text */
            const __m512i here = _mm512_or_si512(fold, _mm512_mask_i64gather_epi64(
                zero, fits, _mm512_sub_epi64(place, back), (const long long *)scan->text, 1));
            __mmask8 same = _mm512_mask_cmpeq_epi64_mask(fits, _mm512_and_si512(here, mask), want);
            if (same) {
                _mm512_store_si512(index, entry);
                for (; same; same &= (__mmask8)(same - 1)) {
                    const unsigned lane = (unsigned)__builtin_ctz(same);
                    lit_verify(scan, entries + index[lane], sieve->from + sieve->at[i + lane]);
                }
            }
            entry = _mm512_add_epi64(entry, one);
            live = _mm512_mask_cmplt_epu64_mask(live, entry, end);
        }
    }
    sieve->n = 0;
}

/* May this processor run the AVX-512 code? */
static int lit_has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("bmi2");
}

/* The same as lit_pass_scalar: sixteen positions at a time, their bitmap words gathered, candidates put aside without
   a branch. Returns where scalar code goes on. */
static inline __attribute__((always_inline)) LIT_AVX512 size_t lit_run_avx512(
    LitScan *scan, const LitPass *pass, const unsigned q, const unsigned stride)
{
    const uint8_t *text = scan->text;
    const int *bitmap = (const int *)((const uint8_t *)scan->set->head + pass->bitmap);
    const __m128i shift = _mm_cvtsi32_si128((int)(32 - pass->bitmap_bits));
    const __m512i fold = _mm512_set1_epi32(0x20202020), factor = _mm512_set1_epi32((int)LIT_HASH);
    const __m512i factor2 = _mm512_set1_epi32((int)LIT_HASH2);
    const __m512i keep = _mm512_set1_epi32(q >= 4 ? -1 : (int)((1u << (8 * (q & 3))) - 1));
    const __m512i low5 = _mm512_set1_epi32(31);
    const __m512i one = _mm512_set1_epi32(1), step = _mm512_set1_epi32((int)(16 * stride));
    /* stride 2: words j and j + 1 of the text; stride 1: bytes 4 i to 4 i + 7 in lane i, then four windows of each */
    const __m512i pairs = _mm512_set_epi16(
        16, 15, 15, 14, 14, 13, 13, 12, 12, 11, 11, 10, 10, 9, 9, 8, 8, 7, 7, 6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0);
    const __m512i lanes = _mm512_set_epi32(0, 0, 4, 3, 0, 0, 3, 2, 0, 0, 2, 1, 0, 0, 1, 0);
    const __m512i slide = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6));
    const __m512i first = _mm512_mullo_epi32(
        _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0), _mm512_set1_epi32((int)stride));
    const size_t n = scan->n;
    __m512i place = first;
    LitSieve sieve;
    size_t p = 0;
    sieve.n = 0;
    sieve.from = 0;
    /* a load takes 64 bytes from p or p + 2; the last window begins at p + 60 at most and is looked at for 8 bytes */
    while (p + 68 <= n && !scan->stopped) {
        const size_t stop = n - 67 - p < LIT_REACH ? n - 67 : p + LIT_REACH;
        while (p < stop && sieve.n <= LIT_ROOM - 16) { /* no call in here: constants stay in registers */
            __m512i bytes = _mm512_or_si512(_mm512_loadu_si512(text + p), fold), h, bit, word;
            __mmask16 hits;
            if (stride == 2)
                bytes = _mm512_permutexvar_epi16(pairs, bytes);
            if (stride == 1)
                bytes = _mm512_shuffle_epi8(_mm512_permutexvar_epi32(lanes, bytes), slide);
            if (q < 4)
                bytes = _mm512_and_si512(bytes, keep);
            h = _mm512_mullo_epi32(bytes, factor);
            if (q == 6) {
                __m512i later = _mm512_or_si512(_mm512_loadu_si512(text + p + 2), fold);
                if (stride == 2)
                    later = _mm512_permutexvar_epi16(pairs, later);
                h = _mm512_add_epi32(h, _mm512_mullo_epi32(later, factor2));
            }
            bit = _mm512_srl_epi32(h, shift);
            word = _mm512_i32gather_epi32(_mm512_srli_epi32(bit, 5), bitmap, 4);
            hits = _mm512_test_epi32_mask(word, _mm512_sllv_epi32(one, _mm512_and_si512(bit, low5)));
            if (hits) {
                _mm512_storeu_si512(sieve.hash + sieve.n, _mm512_maskz_compress_epi32(hits, h));
                _mm512_storeu_si512(sieve.at + sieve.n, _mm512_maskz_compress_epi32(hits, place));
                sieve.n += (unsigned)__builtin_popcount(hits);
            }
            place = _mm512_add_epi32(place, step);
            p += 16 * stride;
        }
        lit_sift(scan, pass, &sieve);
        sieve.from = p;
        place = first;
    }
    return p;
}

static LIT_AVX512 size_t lit_pass_avx512(LitScan *scan, const LitPass *pass)
{
    switch (pass->q * 8 + pass->stride) {
    case 6 * 8 + 4: return lit_run_avx512(scan, pass, 6, 4);
    case 6 * 8 + 2: return lit_run_avx512(scan, pass, 6, 2);
    case 4 * 8 + 4: return lit_run_avx512(scan, pass, 4, 4);
    case 4 * 8 + 2: return lit_run_avx512(scan, pass, 4, 2);
    case 3 * 8 + 2: return lit_run_avx512(scan, pass, 3, 2);
    case 3 * 8 + 1: return lit_run_avx512(scan, pass, 3, 1);
    case 2 * 8 + 1: return lit_run_avx512(scan, pass, 2, 1);
    default: return lit_run_avx512(scan, pass, 1, 1);
    }
}
#else
static int lit_has_avx512(void)
{
    return 0;
}
#endif

static void lit_pass(LitScan *scan, const LitPass *pass)
{
    size_t from = 0;
#if defined(__x86_64__)
    if (scan->level >= 2)
        from = lit_pass_avx512(scan, pass);
#endif
    switch (pass->q * 8 + pass->stride) {
    case 6 * 8 + 4: lit_pass_scalar(scan, pass, from, 6, 4); break;
    case 6 * 8 + 2: lit_pass_scalar(scan, pass, from, 6, 2); break;
    case 4 * 8 + 4: lit_pass_scalar(scan, pass, from, 4, 4); break;
    case 4 * 8 + 2: lit_pass_scalar(scan, pass, from, 4, 2); break;
    case 3 * 8 + 2: lit_pass_scalar(scan, pass, from, 3, 2); break;
    case 3 * 8 + 1: lit_pass_scalar(scan, pass, from, 3, 1); break;
    case 2 * 8 + 1: lit_pass_scalar(scan, pass, from, 2, 1); break;
    default: lit_pass_scalar(scan, pass, from, 1, 1);
    }
}

/* Scan the whole text. The caller has filled set, text, n, mode and what the mode needs. */
static void lit_scan(LitScan *scan)
{
    for (uint32_t i = 0; i < scan->set->head->n_passes && !scan->stopped; i++)
        lit_pass(scan, scan->set->head->passes + i);
}

#endif
