/* Text to hashed features, and the sum of their weights: see tokens.pyi for what the features are.

   A word's hash is FNV-1a over its bytes; a feature is a mixed hash cut to `bits` bits. A bitmap of 2^bits bits keeps
   each feature once. Every sum is one of integers, so that all paths (portable, AVX2, AVX-512) agree to the bit. */
#ifndef MXWARD_TOKENS_H
#define MXWARD_TOKENS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { TOK_LINES, TOK_WORDS, TOK_PAIRS }; /* what becomes of a piece */
enum { TOK_SEGMENTS = 8, TOK_LONG = 24, TOK_LONG_FOREIGN = 48, TOK_MIN_BITS = 10, TOK_MAX_BITS = 22 };

#define TOK_SEED 14695981039346656037ULL
#define TOK_PRIME 1099511628211ULL
#define TOK_PAIR 0x9E3779B97F4A7C15ULL

typedef struct {
    const uint8_t *data;
    size_t size;
    uint32_t segment;
    uint32_t mode;
} TokPiece;

typedef struct {
    uint32_t *index; /* of features, in order of discovery; room for all that the limits allow */
    uint32_t n;
    uint32_t stop;   /* features that the present segment may bring `n` to */
    uint64_t *seen;  /* 2^bits bits */
    uint32_t shift;  /* 64 - bits */
    uint64_t salt;   /* of the segment */
    uint64_t last;   /* hash of the word before in this piece, 0: none */
    int pairs;
} TokRun;

/* What an ASCII byte is: 0 separates words, 1 is a sign that is a word of its own, a letter stands for itself in lower
   case, every digit for '0', so that one number is like another. */
static const uint8_t TOK_ASCII[128] = {
    ['!'] = 1, ['$'] = 1, ['%'] = 1, ['?'] = 1,
    ['0'] = '0', ['1'] = '0', ['2'] = '0', ['3'] = '0', ['4'] = '0', ['5'] = '0', ['6'] = '0', ['7'] = '0', ['8'] = '0',
    ['9'] = '0',
    ['a'] = 'a', ['b'] = 'b', ['c'] = 'c', ['d'] = 'd', ['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h', ['i'] = 'i',
    ['j'] = 'j', ['k'] = 'k', ['l'] = 'l', ['m'] = 'm', ['n'] = 'n', ['o'] = 'o', ['p'] = 'p', ['q'] = 'q', ['r'] = 'r',
    ['s'] = 's', ['t'] = 't', ['u'] = 'u', ['v'] = 'v', ['w'] = 'w', ['x'] = 'x', ['y'] = 'y', ['z'] = 'z',
    ['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd', ['E'] = 'e', ['F'] = 'f', ['G'] = 'g', ['H'] = 'h', ['I'] = 'i',
    ['J'] = 'j', ['K'] = 'k', ['L'] = 'l', ['M'] = 'm', ['N'] = 'n', ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q', ['R'] = 'r',
    ['S'] = 's', ['T'] = 't', ['U'] = 'u', ['V'] = 'v', ['W'] = 'w', ['X'] = 'x', ['Y'] = 'y', ['Z'] = 'z',
};

static inline uint8_t tok_class(uint8_t byte)
{
    return byte < 0x80 ? TOK_ASCII[byte] : byte;
}

static inline uint64_t tok_step(uint64_t hash, uint8_t byte)
{
    return (hash ^ byte) * TOK_PRIME;
}

/* Spread a hash over all its bits (two rounds of xor-shift and multiply). */
static inline uint64_t tok_mix(uint64_t h)
{
    h = (h ^ (h >> 32)) * 0xD6E8FEB86659FD93ULL;
    h = (h ^ (h >> 32)) * 0xD6E8FEB86659FD93ULL;
    return h ^ (h >> 32);
}

/* Note the feature of a hash, once, while the segment has room. */
static inline void tok_put(TokRun *t, uint64_t hash)
{
    uint32_t at = (uint32_t)(tok_mix(hash ^ t->salt) >> t->shift); /* < 2^bits: the bitmap's size */
    uint64_t bit = 1ULL << (at & 63);
    if (t->n >= t->stop || (t->seen[at >> 6] & bit))
        return;
    t->seen[at >> 6] |= bit;
    t->index[t->n++] = at; /* n < stop <= room */
}

static inline void tok_word(TokRun *t, uint64_t hash)
{
    tok_put(t, hash);
    if (t->pairs && t->last)
        tok_put(t, t->last * TOK_PAIR + hash);
    t->last = hash;
}

/* Bytes of the sign of another script that begins at `at` and separates words (general punctuation, symbols, Latin-1
   signs, ideographic punctuation), 0 when none does. */
static inline size_t tok_sign(const uint8_t *at, size_t room)
{
    if (at[0] == 0xC2 && room >= 2)
        return 2;
    if (room < 3)
        return 0;
    if (at[0] == 0xE2 && at[1] >= 0x80 && at[1] <= 0xAF)
        return 3;
    return at[0] == 0xE3 && at[1] == 0x80 ? 3 : 0;
}

static uint64_t tok_hash(const uint8_t *data, size_t size)
{
    uint64_t hash = TOK_SEED;
    for (size_t i = 0; i < size; i++)
        hash = tok_step(hash, data[i]);
    return hash;
}

/* A run of characters that are written without spaces: each pair of neighbours is a word. */
static void tok_ideographs(TokRun *t, const uint8_t *data, size_t size)
{
    for (size_t at = 0; at + 6 <= size; at += 3)
        tok_word(t, tok_hash(data + at, 6));
}

/* A word too long to be one stands for its length, in powers of two, and for whether it has digits. */
static void tok_long(TokRun *t, size_t size, int has_digit)
{
    uint8_t shape[3] = {1, (uint8_t)(63 - __builtin_clzll(size)), (uint8_t)has_digit};
    tok_word(t, tok_hash(shape, 3));
}

/* A run of one sign, of which up to three count. Returns where it ends. */
static size_t tok_signs(TokRun *t, const uint8_t *data, size_t at, size_t size)
{
    size_t end = at + 1;
    while (end < size && data[end] == data[at])
        end++;
    tok_word(t, tok_hash(data + at, end - at < 3 ? end - at : 3));
    return end;
}

/* The word that begins at `at`, whose first byte is part of one. Returns where it ends: always beyond `at`. */
static size_t tok_one(TokRun *t, const uint8_t *data, size_t at, size_t size)
{
    size_t start = at;
    uint64_t hash = TOK_SEED;
    uint8_t class, all = 0;
    int has_digit = 0;
    if (data[at] >= 0xF0) { /* a pictograph or a rare script: four bytes are a word */
        size_t end = size - at < 4 ? size : at + 4;
        tok_word(t, tok_hash(data + at, end - at));
        return end;
    }
    while (at < size && (class = tok_class(data[at])) > 1) {
        if (class >= 0xC2 && (class >= 0xF0 || tok_sign(data + at, size - at)))
            break;
        hash = tok_step(hash, class);
        all |= class;
        has_digit |= class == '0';
        at++;
        if (at + 1 < size && data[at] == '\'' && tok_class(data[at + 1]) > 1)
            at++; /* an apostrophe within a word is not there */
    }
    if (data[start] >= 0xE3 && data[start] <= 0xED && at - start >= 6)
        tok_ideographs(t, data + start, at - start);
    else if (at - start > (all >= 0x80 ? TOK_LONG_FOREIGN : TOK_LONG))
        tok_long(t, at - start, has_digit);
    else
        tok_word(t, hash);
    return at;
}

static void tok_words(TokRun *t, const uint8_t *data, size_t size)
{
    size_t at = 0, skip;
    while (at < size) { /* every branch goes on by one byte or more */
        uint8_t class = tok_class(data[at]);
        if (class == 0)
            at++;
        else if (class == 1)
            at = tok_signs(t, data, at, size);
        else if (class >= 0xC2 && (skip = tok_sign(data + at, size - at)))
            at += skip;
        else
            at = tok_one(t, data, at, size);
    }
}

/* Each line that is not empty is one feature as it is. */
static void tok_lines(TokRun *t, const uint8_t *data, size_t size)
{
    uint64_t hash = TOK_SEED;
    size_t n = 0;
    for (size_t i = 0; i < size; i++) {
        if (data[i] != '\n') {
            hash = tok_step(hash, data[i]);
            n++;
        } else {
            if (n)
                tok_put(t, hash);
            hash = TOK_SEED;
            n = 0;
        }
    }
    if (n)
        tok_put(t, hash);
}

/* Features of all pieces, which come in order of their segments; ends[s] is where those of segment s end.
   `index` has room for the sum over the segments of `limit`, or for two features a byte if that is less; `seen` is all zero. */
static void tok_run(
    const TokPiece *pieces, size_t n_pieces, unsigned bits, uint32_t limit, uint64_t *seen, uint32_t *index,
    uint32_t *ends)
{
    TokRun t = {.index = index, .seen = seen, .shift = 64 - bits};
    size_t i = 0;
    for (uint32_t segment = 0; segment < TOK_SEGMENTS; segment++) {
        t.stop = t.n + limit;
        t.salt = tok_mix((uint64_t)(segment + 1) * TOK_PAIR);
        for (; i < n_pieces && pieces[i].segment == segment; i++) {
            t.last = 0;
            t.pairs = pieces[i].mode == TOK_PAIRS;
            if (pieces[i].mode == TOK_LINES)
                tok_lines(&t, pieces[i].data, pieces[i].size);
            else
                tok_words(&t, pieces[i].data, pieces[i].size);
        }
        ends[segment] = t.n;
    }
}

/* Two columns of signed bytes, side by side: the sums of the rows that `index` names. n * 128 < 2^31. */
static void tok_dot_portable(const uint32_t *index, size_t n, const int8_t *table, int32_t *sums)
{
    int32_t one = 0, two = 0;
    for (size_t i = 0; i < n; i++) {
        one += table[2 * (size_t)index[i]];
        two += table[2 * (size_t)index[i] + 1];
    }
    sums[0] = one;
    sums[1] = two;
}

#if defined(__x86_64__)
#include <immintrin.h>

/* The gathers read four bytes at a row of two: the table ends with two bytes more than its rows. */
__attribute__((target("avx2"))) static void
tok_dot_avx2(const uint32_t *index, size_t n, const int8_t *table, int32_t *sums)
{
    __m256i one = _mm256_setzero_si256(), two = one;
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        __m256i at = _mm256_loadu_si256((const __m256i *)(index + i));
        __m256i row = _mm256_i32gather_epi32((const int *)table, at, 2);
        one = _mm256_add_epi32(one, _mm256_srai_epi32(_mm256_slli_epi32(row, 24), 24));
        two = _mm256_add_epi32(two, _mm256_srai_epi32(_mm256_slli_epi32(row, 16), 24));
    }
    int32_t rest[2], lanes[16];
    tok_dot_portable(index + i, n - i, table, rest);
    _mm256_storeu_si256((__m256i *)lanes, one);
    _mm256_storeu_si256((__m256i *)(lanes + 8), two);
    for (int k = 0; k < 8; k++) {
        rest[0] += lanes[k];
        rest[1] += lanes[8 + k];
    }
    memcpy(sums, rest, sizeof rest);
}

__attribute__((target("avx512f"))) static void
tok_dot_avx512(const uint32_t *index, size_t n, const int8_t *table, int32_t *sums)
{
    __m512i one = _mm512_setzero_si512(), two = one;
    for (size_t i = 0; i < n; i += 16) {
        __mmask16 live = n - i >= 16 ? 0xFFFF : (__mmask16)((1u << (n - i)) - 1);
        __m512i at = _mm512_maskz_loadu_epi32(live, index + i);
        __m512i row = _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), live, at, table, 2);
        one = _mm512_add_epi32(one, _mm512_srai_epi32(_mm512_slli_epi32(row, 24), 24));
        two = _mm512_add_epi32(two, _mm512_srai_epi32(_mm512_slli_epi32(row, 16), 24));
    }
    sums[0] = _mm512_reduce_add_epi32(one);
    sums[1] = _mm512_reduce_add_epi32(two);
}

/* 2: AVX-512, 1: AVX2, 0: neither. */
static int tok_level(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") ? 2 : __builtin_cpu_supports("avx2") ? 1 : 0;
}

static void tok_dot(int level, const uint32_t *index, size_t n, const int8_t *table, int32_t *sums)
{
    if (level >= 2)
        tok_dot_avx512(index, n, table, sums);
    else if (level == 1)
        tok_dot_avx2(index, n, table, sums);
    else
        tok_dot_portable(index, n, table, sums);
}
#else
static int tok_level(void)
{
    return 0;
}

static void tok_dot(int level, const uint32_t *index, size_t n, const int8_t *table, int32_t *sums)
{
    (void)level;
    tok_dot_portable(index, n, table, sums);
}
#endif

#endif
