/* The first step of a scan (literals_scan.h) by AVX2 and AVX-512, chosen at run time. Hashes are made by vectors and
   their bits tested by vectors; only the bitmap's bytes are fetched one by one, which is faster than a gather. */
#ifndef MXWARD_LITERALS_SIMD_H
#define MXWARD_LITERALS_SIMD_H

#if defined(__x86_64__)
#include <immintrin.h>

#define LIT_AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt")))
#define LIT_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,bmi,bmi2,popcnt")))
enum { LIT_UNSIFTED = 15, LIT_BLOCK = 256 }; /* positions that each part of the work is done for at a time */
#define LIT_VBMI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,bmi,bmi2,popcnt")))

#define LIT_STORED(array) __asm__ __volatile__("" : : "r"(array) : "memory")

/* One byte of the bitmap for each index. The compiler must take them through memory as written: it would pick vectors
   to pieces, at several times the cost. n is a multiple of 16. */
static inline LIT_INLINE void lit_fetch_bytes(const uint8_t *bitmap, const uint32_t *index, uint32_t *byte, uint32_t n)
{
    for (uint32_t i = 0; i < n; i += 16) {
#pragma GCC unroll 16
        for (unsigned j = 0; j < 16; j++) {
            LIT_STORED(index);
            byte[i + j] = bitmap[index[i + j]];
        }
    }
    LIT_STORED(byte);
}

static inline LIT_INLINE LIT_AVX2 void lit_run_avx2(
    const LitPass *pass, const uint8_t *bitmap, const uint8_t *text, uint32_t n, LitPlaces *out, const int stride)
{
    const __m128i shift = _mm_cvtsi32_si128((int)(32 - pass->bitmap_bits));
    const __m256i fold = _mm256_set1_epi32(0x20202020), factor = _mm256_set1_epi32((int)pass->factor);
    const __m256i keep = _mm256_set1_epi32((int)lit_low_bytes(pass->q)), seven = _mm256_set1_epi32(7);
    const __m256i one = _mm256_set1_epi32(1), window = _mm256_set1_epi32(0x03020100);
    const __m256i slide = _mm256_add_epi8( /* four windows of each half */
        window, _mm256_mullo_epi32(_mm256_setr_epi32(0, 1, 2, 3, 0, 1, 2, 3), _mm256_set1_epi32(0x01010101 * stride)));
    uint32_t index[LIT_BLOCK] __attribute__((aligned(32))), byte[LIT_BLOCK] __attribute__((aligned(32)));
    uint32_t wanted[LIT_BLOCK] __attribute__((aligned(32)));
    uint32_t m = 0;
    for (uint32_t p = 0; p < n; p += LIT_BLOCK * stride) {
        const uint32_t left = (n - p) / stride, block = left < LIT_BLOCK ? left : LIT_BLOCK; /* a multiple of 32 */
        for (uint32_t i = 0; i < block; i += 8) {
            const uint8_t *at = text + p + i * stride;
            __m256i bytes = _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)at)), bit;
            bytes = _mm256_inserti128_si256(bytes, _mm_loadu_si128((const __m128i *)(at + 4 * stride)), 1);
            bytes = _mm256_and_si256(_mm256_or_si256(_mm256_shuffle_epi8(bytes, slide), fold), keep);
            bit = _mm256_srl_epi32(_mm256_mullo_epi32(bytes, factor), shift);
            _mm256_store_si256((__m256i *)(index + i), _mm256_srli_epi32(bit, 3));
            _mm256_store_si256((__m256i *)(wanted + i), _mm256_sllv_epi32(one, _mm256_and_si256(bit, seven)));
        }
        lit_fetch_bytes(bitmap, index, byte, block);
        for (uint32_t i = 0; i < block; i += 8) {
            const __m256i want = _mm256_load_si256((const __m256i *)(wanted + i));
            const __m256i have = _mm256_and_si256(want, _mm256_load_si256((const __m256i *)(byte + i)));
            unsigned hits = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(have, want)));
            for (; hits; hits &= hits - 1)
                out->at[m++] = p + (i + (unsigned)__builtin_ctz(hits)) * stride;
        }
    }
    out->n = m;
}

static LIT_AVX2 void lit_first_avx2(
    const LitPass *pass, const uint8_t *bitmap, const uint8_t *text, uint32_t n, LitPlaces *out)
{
    if (pass->stride == 2)
        lit_run_avx2(pass, bitmap, text, n, out, 2);
    else
        lit_run_avx2(pass, bitmap, text, n, out, 1);
}

static inline LIT_INLINE LIT_AVX512 void lit_run_avx512(
    const LitPass *pass, const uint8_t *bitmap, const uint8_t *text, uint32_t n, LitPlaces *out, const unsigned stride)
{
    const __m128i shift = _mm_cvtsi32_si128((int)(32 - pass->bitmap_bits));
    const __m512i fold = _mm512_set1_epi32(0x20202020), factor = _mm512_set1_epi32((int)pass->factor);
    const __m512i keep = _mm512_set1_epi32((int)lit_low_bytes(pass->q)), seven = _mm512_set1_epi32(7);
    const __m512i one = _mm512_set1_epi32(1);
    /* stride 1: bytes 4 i to 4 i + 7 in lane i, then four windows of each; stride 2: words j and j + 1 of the text */
    const __m512i lanes = _mm512_set_epi32(0, 0, 4, 3, 0, 0, 3, 2, 0, 0, 2, 1, 0, 0, 1, 0);
    const __m512i slide = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6));
    const __m512i pairs = _mm512_set_epi16(
        16, 15, 15, 14, 14, 13, 13, 12, 12, 11, 11, 10, 10, 9, 9, 8, 8, 7, 7, 6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0);
    const __m512i step = _mm512_set1_epi32((int)(16 * stride));
    const __m512i first = _mm512_mullo_epi32(
        _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0), _mm512_set1_epi32((int)stride));
    uint32_t index[LIT_BLOCK] __attribute__((aligned(64))), byte[LIT_BLOCK] __attribute__((aligned(64)));
    uint32_t wanted[LIT_BLOCK] __attribute__((aligned(64)));
    uint32_t m = 0;
    for (uint32_t p = 0; p < n; p += LIT_BLOCK * stride) {
        const uint32_t left = (n - p) / stride, block = left < LIT_BLOCK ? left : LIT_BLOCK; /* a multiple of 32 */
        __m512i place = _mm512_add_epi32(first, _mm512_set1_epi32((int)p));
        for (uint32_t i = 0; i < block; i += 16) {
            __m512i bytes = _mm512_or_si512(_mm512_loadu_si512(text + p + stride * i), fold), bit;
            bytes = stride == 2 ? _mm512_permutexvar_epi16(pairs, bytes)
                                : _mm512_shuffle_epi8(_mm512_permutexvar_epi32(lanes, bytes), slide);
            bit = _mm512_srl_epi32(_mm512_mullo_epi32(_mm512_and_si512(bytes, keep), factor), shift);
            _mm512_store_si512(index + i, _mm512_srli_epi32(bit, 3));
            _mm512_store_si512(wanted + i, _mm512_sllv_epi32(one, _mm512_and_si512(bit, seven)));
        }
        lit_fetch_bytes(bitmap, index, byte, block);
        for (uint32_t i = 0; i < block; i += 16) {
            const __mmask16 hits = _mm512_test_epi32_mask(_mm512_load_si512(byte + i), _mm512_load_si512(wanted + i));
            _mm512_storeu_si512(out->at + m, _mm512_maskz_compress_epi32(hits, place));
            m += (unsigned)__builtin_popcount(hits);
            place = _mm512_add_epi32(place, step);
        }
    }
    out->n = m;
}

static LIT_AVX512 void lit_first_avx512(
    const LitPass *pass, const uint8_t *bitmap, const uint8_t *text, uint32_t n, LitPlaces *out)
{
    if (pass->stride == 2)
        lit_run_avx512(pass, bitmap, text, n, out, 2);
    else
        lit_run_avx512(pass, bitmap, text, n, out, 1);
}

/* The same, but positions are first sifted in registers: each byte of a window has a set for each of eight groups of
   windows that says which classes of bytes stand there. So most text is passed over 64 positions at a time. */
static LIT_VBMI void lit_first_vbmi(
    const LitPass *pass, const uint8_t *bitmap, const uint8_t *text, uint32_t n, LitPlaces *out)
{
    uint8_t classes[LIT_TILE + 128];
    const __m512i bit5 = _mm512_set1_epi8(0x20), step = _mm512_set1_epi32(16);
    const __m512i set0 = _mm512_loadu_si512(pass->sets[0]), set1 = _mm512_loadu_si512(pass->sets[1]);
    const __m512i set2 = _mm512_loadu_si512(pass->sets[2]), set3 = _mm512_loadu_si512(pass->sets[3]);
    const __mmask64 taken = pass->stride == 2 ? 0x5555555555555555ULL : ~0ULL;
    const unsigned shift = 32 - pass->bitmap_bits, q = pass->q;
    const uint32_t factor = pass->factor;
    __m512i place = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    uint32_t m = 0, kept = 0;
    if (out->unsifted > 0) {
        out->unsifted--;
        lit_first_avx512(pass, bitmap, text, n, out);
        return;
    }
    for (uint32_t i = 0; i < n + 64; i += 64) { /* n + 64 <= n + LIT_LEAD bytes can be read */
        const __m512i bytes = _mm512_loadu_si512(text + i);
        _mm512_storeu_si512(classes + i, _mm512_ternarylogic_epi32(bit5, _mm512_srli_epi16(bytes, 1), bytes, 0xCA));
    }
    for (uint32_t i = 0; i < n; i += 64) { /* vpermb looks at the low six bits of a class only */
        const __m512i a = _mm512_permutexvar_epi8(_mm512_loadu_si512(classes + i), set0);
        const __m512i b = _mm512_permutexvar_epi8(_mm512_loadu_si512(classes + i + 1), set1);
        const __m512i c = _mm512_permutexvar_epi8(_mm512_loadu_si512(classes + i + 2), set2);
        const __m512i d = _mm512_permutexvar_epi8(_mm512_loadu_si512(classes + i + 3), set3);
        uint64_t hits = _mm512_mask_test_epi8_mask(taken, _mm512_and_si512(a, b), _mm512_and_si512(c, d));
#pragma GCC unroll 4
        for (unsigned g = 0; g < 4; g++) {
            _mm512_storeu_si512(out->at + m, _mm512_maskz_compress_epi32((__mmask16)hits, place));
            m += (unsigned)__builtin_popcount((unsigned)hits & 0xFFFF);
            hits >>= 16;
            place = _mm512_add_epi32(place, step);
        }
    }
    if (m > n / pass->stride / 8 * 3) { /* more than the bitmap alone costs */
        out->unsifted = LIT_UNSIFTED;
        lit_first_avx512(pass, bitmap, text, n, out);
        return;
    }
    for (uint32_t i = 0; i < m; i++) {
        const uint32_t p = out->at[i], bit = lit_hash4(lit_load4(text + p), q, factor) >> shift;
        out->at[kept] = p; /* kept <= i */
        kept += bitmap[bit >> 3] >> (bit & 7) & 1;
    }
    out->n = kept;
}

static LIT_AVX2 void lit_pass_avx2(LitScan *scan, const LitPass *pass)
{
    lit_pass(scan, pass, lit_first_avx2);
}

static LIT_AVX512 void lit_pass_avx512(LitScan *scan, const LitPass *pass)
{
    lit_pass(scan, pass, lit_first_avx512);
}

static LIT_VBMI void lit_pass_vbmi(LitScan *scan, const LitPass *pass)
{
    lit_pass(scan, pass, lit_first_vbmi);
}

/* The best level of this processor: 0 nothing, 1 AVX2, 2 AVX-512 as the first that had it, 3 with VBMI. */
static int lit_best_level(void)
{
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi2"))
        return 0;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
        return 1;
    return __builtin_cpu_supports("avx512vbmi") ? 3 : 2;
}

static LitPassBy lit_pass_for(int level)
{
    static const LitPassBy by[] = {lit_pass_portable, lit_pass_avx2, lit_pass_avx512, lit_pass_vbmi};
    return by[level];
}
#else
static int lit_best_level(void)
{
    return 0;
}

static LitPassBy lit_pass_for(int level)
{
    return lit_pass_portable;
}
#endif
#endif
