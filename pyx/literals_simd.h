/* The first step of a scan (literals_scan.h) by AVX2 and AVX-512, chosen at run time. Hashes are made by vectors and
   their bits tested by vectors; only the bitmap's bytes are fetched one by one, which is faster than a gather. */
#ifndef MXWARD_LITERALS_SIMD_H
#define MXWARD_LITERALS_SIMD_H

#if defined(__x86_64__)
#include <immintrin.h>

#define LIT_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,bmi,bmi2,popcnt")))
enum { LIT_BLOCK = 256 }; /* positions that each part of the work is done for at a time */
#define LIT_AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt")))

/* Let the compiler pass values through memory here: it would pick vectors to pieces, at several times the cost. */
#define LIT_STORED(array) __asm__ __volatile__("" : : "r"(array) : "memory")

static inline __attribute__((always_inline)) LIT_AVX512 void lit_run_avx512(
    const LitPass *pass, const uint8_t *bitmap, const uint8_t *text, uint32_t n, LitPlaces *out, const unsigned stride)
{
    const __m128i shift = _mm_cvtsi32_si128((int)(32 - pass->bitmap_bits));
    const __m512i fold = _mm512_set1_epi32(0x20202020), factor = _mm512_set1_epi32((int)LIT_HASH);
    const __m512i keep = _mm512_set1_epi32((int)lit_low_bytes(pass->q)), seven = _mm512_set1_epi32(7), one = _mm512_set1_epi32(1);
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
        for (uint32_t i = 0; i < block; i += 16) {
#pragma GCC unroll 16
            for (unsigned j = 0; j < 16; j++) {
                LIT_STORED(index);
                byte[i + j] = bitmap[index[i + j]];
            }
        }
        LIT_STORED(byte);
        for (uint32_t i = 0; i < block; i += 16) {
            const __mmask16 hits = _mm512_test_epi32_mask(_mm512_load_si512(byte + i), _mm512_load_si512(wanted + i));
            _mm512_storeu_si512(out->at + m, _mm512_maskz_compress_epi32(hits, place));
            m += (unsigned)__builtin_popcount(hits);
            place = _mm512_add_epi32(place, step);
        }
    }
    out->n = m;
}

static LIT_AVX512 void lit_first_avx512(const LitPass *pass, const uint8_t *bitmap, const uint8_t *text, uint32_t n, LitPlaces *out)
{
    if (pass->stride == 2)
        lit_run_avx512(pass, bitmap, text, n, out, 2);
    else
        lit_run_avx512(pass, bitmap, text, n, out, 1);
}

/* The best level of this processor: 0, 1 for AVX2, 2 for AVX-512. */
static int lit_best_level(void)
{
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("bmi2"))
        return 2;
    return 0;
}

static LitFirst lit_first_for(const LitPass *pass, int level)
{
    return level >= 2 ? lit_first_avx512 : lit_first_portable;
}
#else
static int lit_best_level(void)
{
    return 0;
}

static LitFirst lit_first_for(const LitPass *pass, int level)
{
    return lit_first_portable;
}
#endif
#endif
