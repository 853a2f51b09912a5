/* Cheap facts about a text: bytes at a place, masked bytes anywhere, comparisons of numbers read from it.
 *
 * Facts are checked in three ways. `facts_at` finds all that ask for bytes at a fixed place: they are sorted by place
 * and first byte, so that a place costs one search. `facts_compute` runs a postfix program of integers, which may be
 * undefined as in YARA. `facts_masked` searches a short pattern of which some bits do not matter.
 */
#ifndef MXWARD_FACTS_H
#define MXWARD_FACTS_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FACT_AT, FACT_EXPR, FACT_MASK, FACT_WINDOW, FACT_NEAR }; /* from FACT_MASK on: searched when asked for */
enum { ENDS_LOW = 1, ENDS_HIGH = 2 };                            /* a bound of a window counts from the end */
enum {
    OP_CONST, OP_READ, OP_SIZE, OP_NEG, OP_INVERT, OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_MOD, OP_AND, OP_OR, OP_XOR,
    OP_SHL, OP_SHR, OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, N_OPS
};
#define FACT_STACK 32
#define READ_SIGNED 16 /* beside the width of 1, 2 or 4 bytes */
#define READ_BIG 32

typedef struct {
    int64_t value;
    int32_t op, spare;
} FactOp;

typedef struct FactEntry {
    uint64_t at;          /* FACT_AT: place */
    const uint8_t *bytes; /* FACT_AT, FACT_MASK and so on: size bytes */
    const uint8_t *mask;  /* FACT_MASK: bits that matter; bytes[i] & ~mask[i] is 0 */
    const FactOp *ops;    /* FACT_EXPR: size steps, whose stack was checked */
    uint32_t size, number;
    uint32_t first, second; /* FACT_MASK: two places that are looked at before all others, the rarer byte first */
    int32_t kind;
    uint32_t kinds;         /* FACT_MASK and so on: kinds of bytes that it needs */
    int64_t low, high;      /* FACT_WINDOW: first and last place; FACT_NEAR: distances, low >= 0 */
    struct FactEntry *other; /* FACT_NEAR: the second pattern, owned; else NULL */
    uint32_t ends, unused;
} FactEntry;

typedef struct {
    FactEntry *facts;   /* FACT_AT first, by place and bytes; then the others */
    uint32_t n, n_at;
} FactSet;

static int fact_before(const FactEntry *a, const FactEntry *b) {
    if (a->kind != b->kind) return a->kind < b->kind;
    if (a->at != b->at) return a->at < b->at;
    if (a->kind == FACT_AT && a->bytes[0] != b->bytes[0]) return a->bytes[0] < b->bytes[0];
    return a->number < b->number;
}

static int fact_order(const void *a, const void *b) {
    const FactEntry *x = (const FactEntry *)a, *y = (const FactEntry *)b;
    return fact_before(x, y) ? -1 : fact_before(y, x);
}

/* First of the facts [low, high) whose place and first byte are not before (at, byte). */
static uint32_t fact_lower(const FactSet *set, uint32_t low, uint32_t high, uint64_t at, uint32_t byte) {
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const FactEntry *f = &set->facts[middle];
        if (f->at < at || (f->at == at && f->bytes[0] < byte)) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* Numbers of the FACT_AT facts that hold, to `out` (room for n_at); how many. */
static size_t facts_at(const FactSet *set, const uint8_t *data, size_t n, uint32_t *out) {
    size_t found = 0;
    uint32_t i = 0;
    while (i < set->n_at) {
        const uint64_t at = set->facts[i].at;
        if (at >= n) break; /* sorted by place: all that follow lie beyond the end too */
        i = fact_lower(set, i, set->n_at, at, data[at]);
        for (; i < set->n_at && set->facts[i].at == at && set->facts[i].bytes[0] == data[at]; i++) {
            const FactEntry *f = &set->facts[i];
            if (f->size <= n - at && memcmp(data + at, f->bytes, f->size) == 0) out[found++] = f->number;
        }
        i = fact_lower(set, i, set->n_at, at + 1, 0);
    }
    return found;
}

typedef struct {
    int64_t value;
    int is_defined;
} FactValue;

static FactValue fact_read(const uint8_t *data, size_t n, FactValue at, int64_t how) {
    const size_t width = (size_t)(how & 15);
    FactValue out = {0, 0};
    uint64_t word = 0;
    size_t i;
    if (!at.is_defined || at.value < 0 || width > n || (uint64_t)at.value > n - width) return out;
    for (i = 0; i < width; i++)
        word |= (uint64_t)data[(size_t)at.value + i] << 8 * (how & READ_BIG ? width - 1 - i : i);
    if (how & READ_SIGNED && word >> (8 * width - 1)) word |= ~0ull << 8 * width;
    out.value = (int64_t)word;
    out.is_defined = 1;
    return out;
}

static FactValue fact_binary(int op, FactValue x, FactValue y) {
    FactValue out = {0, x.is_defined && y.is_defined};
    const uint64_t a = (uint64_t)x.value, b = (uint64_t)y.value; /* wraps, as libyara's integers do in effect */
    if (!out.is_defined) return out;
    switch (op) {
    case OP_ADD: out.value = (int64_t)(a + b); break;
    case OP_SUB: out.value = (int64_t)(a - b); break;
    case OP_MUL: out.value = (int64_t)(a * b); break;
    case OP_DIV:
    case OP_MOD:
        if (y.value == 0 || (x.value == INT64_MIN && y.value == -1)) out.is_defined = 0;
        else out.value = op == OP_DIV ? x.value / y.value : x.value % y.value;
        break;
    case OP_AND: out.value = (int64_t)(a & b); break;
    case OP_OR: out.value = (int64_t)(a | b); break;
    case OP_XOR: out.value = (int64_t)(a ^ b); break;
    case OP_SHL:
        if (y.value < 0) out.is_defined = 0;
        else out.value = b < 64 ? (int64_t)(a << b) : 0;
        break;
    case OP_SHR:
        if (y.value < 0) out.is_defined = 0;
        else if (b >= 64) out.value = 0;
        else out.value = (int64_t)(a >> b | (x.value < 0 && b ? ~0ull << (64 - b) : 0));
        break;
    case OP_EQ: out.value = x.value == y.value; break;
    case OP_NE: out.value = x.value != y.value; break;
    case OP_LT: out.value = x.value < y.value; break;
    case OP_LE: out.value = x.value <= y.value; break;
    case OP_GT: out.value = x.value > y.value; break;
    default: out.value = x.value >= y.value; break;
    }
    return out;
}

/* Is the value of the program defined and not 0? The stack was checked when it was made (facts_fit). */
static int facts_compute(const FactEntry *fact, const uint8_t *data, size_t n) {
    FactValue stack[FACT_STACK];
    uint32_t top = 0, i;
    for (i = 0; i < fact->size; i++) {
        const FactOp *op = &fact->ops[i];
        if (op->op == OP_CONST || op->op == OP_SIZE) {
            stack[top].value = op->op == OP_SIZE ? (int64_t)n : op->value;
            stack[top++].is_defined = 1;
        } else if (op->op == OP_READ) {
            stack[top - 1] = fact_read(data, n, stack[top - 1], op->value);
        } else if (op->op == OP_NEG) {
            stack[top - 1].value = (int64_t)(0 - (uint64_t)stack[top - 1].value);
        } else if (op->op == OP_INVERT) {
            stack[top - 1].value = ~stack[top - 1].value;
        } else {
            top--;
            stack[top - 1] = fact_binary(op->op, stack[top - 1], stack[top]);
        }
    }
    return stack[0].is_defined && stack[0].value != 0;
}

/* Does each step find its operands, is the stack never higher than FACT_STACK, does one value remain? */
static int facts_fit(const FactOp *ops, uint32_t n) {
    uint32_t top = 0, i;
    for (i = 0; i < n; i++) {
        const int op = ops[i].op;
        if (op == OP_CONST || op == OP_SIZE) {
            if (++top > FACT_STACK) return 0;
        } else if (op == OP_READ || op == OP_NEG || op == OP_INVERT) {
            const int64_t width = ops[i].value & 15;
            if (top < 1 || (op == OP_READ && width != 1 && width != 2 && width != 4)) return 0;
        } else {
            if (top < 2 || op < 0 || op >= N_OPS) return 0;
            top--;
        }
    }
    return top == 1;
}

/* Which kinds of bytes does the text hold? A pattern that needs another kind need not be searched. */
enum { KIND_HIGH = 1, KIND_LOW = 2 }; /* 0x80 and above; below 0x09 */

static uint32_t facts_kinds(const uint8_t *data, size_t n) {
    uint32_t kinds = 0;
    size_t at, i;
    for (at = 0; at < n && kinds != (KIND_HIGH | KIND_LOW); at += 4096) {
        const size_t end = n - at < 4096 ? n : at + 4096;
        uint8_t high = 0, low = 0;
        for (i = at; i < end; i++) {
            high |= data[i];
            low |= (uint8_t)(data[i] < 9);
        }
        kinds |= (high & 0x80 ? KIND_HIGH : 0) | (low ? KIND_LOW : 0);
    }
    return kinds;
}

static uint32_t fact_kinds(const FactEntry *fact) {
    uint32_t kinds = 0, i;
    for (i = 0; i < fact->size; i++) {
        if (fact->bytes[i] & 0x80) kinds |= KIND_HIGH;
        if (fact->mask[i] == 0xFF && fact->bytes[i] < 9) kinds |= KIND_LOW;
    }
    return kinds;
}

static inline int fact_equal(const FactEntry *fact, const uint8_t *at) {
    uint32_t k = 0;
    while (k < fact->size && (at[k] & fact->mask[k]) == fact->bytes[k]) k++;
    return k == fact->size;
}

/* Does the other pattern of a FACT_NEAR begin within its distance of the one that begins at `at`? */
static int fact_near(const FactEntry *fact, const uint8_t *data, size_t n, size_t at) {
    const FactEntry *other = fact->other;
    const size_t last = n >= other->size ? n - other->size : 0; /* the last place where it may begin */
    size_t i = at + (size_t)fact->low, stop = at + (size_t)fact->high;
    if (n < other->size) return 0;
    for (stop = stop < last ? stop : last; i <= stop; i++)
        if (fact_equal(other, data + i)) return 1;
    return 0;
}

/* Places [*from, *to) where the pattern may begin; none when *from >= *to. */
static void fact_window(const FactEntry *fact, size_t n, size_t *from, size_t *to) {
    const size_t last = n >= fact->size ? n - fact->size + 1 : 0;
    int64_t low = 0, high = INT64_MAX;
    if (fact->kind == FACT_WINDOW) {
        low = fact->low + (fact->ends & ENDS_LOW ? (int64_t)n : 0);
        high = fact->high + (fact->ends & ENDS_HIGH ? (int64_t)n : 0);
    }
    *from = low > 0 ? (size_t)low : 0;
    *to = high < 0 ? 0 : (uint64_t)high < last ? (size_t)high + 1 : last;
}

/* Blocks of 64 places are compared at two places of the pattern, which the compiler makes vector code of; only blocks
 * with a hit are looked at closely. first and second are below size, so that every place looked at lies before n. */
static inline __attribute__((always_inline)) int fact_search(const FactEntry *fact, const uint8_t *data, size_t n) {
    const uint8_t x = fact->bytes[fact->first], y = fact->bytes[fact->second];
    const uint8_t mx = fact->mask[fact->first], my = fact->mask[fact->second];
    size_t at, end, i;
    fact_window(fact, n, &at, &end);
    for (; at < end; at += 64) {
        const size_t width = end - at < 64 ? end - at : 64;
        const uint8_t *p = data + at + fact->first, *q = data + at + fact->second;
        uint8_t any = 0;
        if (width == 64)
            for (i = 0; i < 64; i++) any |= (uint8_t)(((p[i] & mx) == x) & ((q[i] & my) == y));
        else
            any = 1;
        if (!any) continue;
        for (i = 0; i < width; i++) {
            if ((p[i] & mx) != x || (q[i] & my) != y || !fact_equal(fact, data + at + i)) continue;
            if (fact->other == NULL || fact_near(fact, data, n, at + i)) return 1;
        }
    }
    return 0;
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

__attribute__((target("avx2"))) static int fact_search_avx2(const FactEntry *f, const uint8_t *data, size_t n) {
    return fact_search(f, data, n);
}

/* The places in [at, at + 64) where both bytes stand, of those that `live` tells; nothing else is loaded. */
__attribute__((target("avx512f,avx512bw"))) static inline uint64_t fact_both(
    const FactEntry *fact, const uint8_t *data, uint64_t live) {
    const __m512i p = _mm512_maskz_loadu_epi8(live, data + fact->first), q = _mm512_maskz_loadu_epi8(live, data + fact->second);
    const __m512i x = _mm512_and_si512(p, _mm512_set1_epi8((char)fact->mask[fact->first]));
    const __m512i y = _mm512_and_si512(q, _mm512_set1_epi8((char)fact->mask[fact->second]));
    live = _mm512_mask_cmpeq_epi8_mask(live, x, _mm512_set1_epi8((char)fact->bytes[fact->first]));
    return _mm512_mask_cmpeq_epi8_mask(live, y, _mm512_set1_epi8((char)fact->bytes[fact->second]));
}

/* As fact_search. Of four blocks at a time the rarer byte is looked for, which most have not. */
__attribute__((target("avx512f,avx512bw,bmi"))) static int fact_search_avx512(
    const FactEntry *fact, const uint8_t *data, size_t n) {
    const __m512i x = _mm512_set1_epi8((char)fact->bytes[fact->first]);
    const __m512i mask = _mm512_set1_epi8((char)fact->mask[fact->first]);
    size_t at, end, i;
    fact_window(fact, n, &at, &end);
    for (; at < end; at += 256) {
        const size_t stop = end - at < 256 ? end : at + 256;
        if (stop == at + 256) {
            const uint8_t *p = data + at + fact->first;
            const __m512i a = _mm512_and_si512(_mm512_loadu_si512(p), mask), b = _mm512_and_si512(_mm512_loadu_si512(p + 64), mask);
            const __m512i c = _mm512_and_si512(_mm512_loadu_si512(p + 128), mask), d = _mm512_and_si512(_mm512_loadu_si512(p + 192), mask);
            if (!(_mm512_cmpeq_epi8_mask(a, x) | _mm512_cmpeq_epi8_mask(b, x) | _mm512_cmpeq_epi8_mask(c, x) | _mm512_cmpeq_epi8_mask(d, x)))
                continue;
        }
        for (i = at; i < stop; i += 64) {
            uint64_t hits = fact_both(fact, data + i, stop - i < 64 ? (1ULL << (stop - i)) - 1 : ~0ULL);
            for (; hits; hits &= hits - 1) {
                const size_t place = i + (size_t)__builtin_ctzll(hits);
                if (fact_equal(fact, data + place) && (fact->other == NULL || fact_near(fact, data, n, place))) return 1;
            }
        }
    }
    return 0;
}

/* 2: AVX-512, 1: AVX2, 0: neither. */
static int facts_level(void) {
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("bmi")) return 2;
    return __builtin_cpu_supports("avx2") ? 1 : 0;
}
#else
static int fact_search_avx2(const FactEntry *f, const uint8_t *data, size_t n) { return fact_search(f, data, n); }
static int fact_search_avx512(const FactEntry *f, const uint8_t *data, size_t n) { return fact_search(f, data, n); }
static int facts_level(void) { return 0; }
#endif

/* Does the pattern stand anywhere, or in its window, or near the other? */
static int facts_masked(const FactEntry *fact, const uint8_t *data, size_t n, int level) {
    if (level > 1) return fact_search_avx512(fact, data, n);
    return level ? fact_search_avx2(fact, data, n) : fact_search(fact, data, n);
}

#endif
