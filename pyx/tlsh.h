/* TLSH, the digest of what is similar: 128 buckets, one byte of checksum, written as T1 and 70 hexadecimal digits.
 *
 * Six triplets of each window of five bytes are counted in buckets by Pearson hashing; the digest tells of each bucket
 * in which quarter of all it lies, with the length and the spread of the counts before it. The distance of two digests
 * adds up what differs. Source: J. Oliver, C. Cheng, Y. Chen, "TLSH - A Locality Sensitive Hash", 2013.
 */
#ifndef MXWARD_TLSH_H
#define MXWARD_TLSH_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TLSH_BYTES 35
#define TLSH_CODE 32     /* bytes of a digest after checksum, length and quarters */
#define TLSH_BUCKETS 128 /* of 256 that are counted */
#define TLSH_LEAST 256   /* bytes of content */
#define TLSH_LENGTHS 170

/* P. Pearson, "Fast Hashing of Variable-Length Text Strings", CACM 33(6), 1990, appendix */
static const uint8_t tlsh_pearson[256] = {
    1, 87, 49, 12, 176, 178, 102, 166, 121, 193, 6, 84, 249, 230, 44, 163, 14, 197, 213, 181, 161, 85, 218, 80, 64,
    239, 24, 226, 236, 142, 38, 200, 110, 177, 104, 103, 141, 253, 255, 50, 77, 101, 81, 18, 45, 96, 31, 222, 25, 107,
    190, 70, 86, 237, 240, 34, 72, 242, 20, 214, 244, 227, 149, 235, 97, 234, 57, 22, 60, 250, 82, 175, 208, 5, 127,
    199, 111, 62, 135, 248, 174, 169, 211, 58, 66, 154, 106, 195, 245, 171, 17, 187, 182, 179, 0, 243, 132, 56, 148,
    75, 128, 133, 158, 100, 130, 126, 91, 13, 153, 246, 216, 219, 119, 68, 223, 78, 83, 88, 201, 99, 122, 11, 92, 32,
    136, 114, 52, 10, 138, 30, 48, 183, 156, 35, 61, 26, 143, 74, 251, 94, 129, 162, 63, 152, 170, 7, 115, 167, 241,
    206, 3, 150, 55, 59, 151, 220, 90, 53, 23, 131, 125, 173, 15, 238, 79, 95, 89, 16, 105, 137, 225, 224, 217, 160,
    37, 123, 118, 73, 2, 157, 46, 116, 9, 145, 134, 228, 207, 212, 202, 215, 69, 229, 27, 188, 67, 124, 168, 252, 42,
    4, 29, 108, 21, 247, 19, 205, 39, 203, 233, 40, 186, 147, 198, 192, 155, 33, 164, 191, 98, 204, 165, 180, 117, 76,
    140, 36, 210, 172, 41, 54, 159, 8, 185, 232, 113, 196, 231, 47, 146, 120, 51, 65, 28, 144, 254, 221, 93, 189, 194,
    139, 112, 43, 71, 109, 184, 209,
};

/* The greatest content of each class of length: steps of 1.5, 1.3, then 1.1, as rounded by the first programs. */
static const uint32_t tlsh_lengths[TLSH_LENGTHS] = {
    1u, 2u, 3u, 5u, 7u, 11u, 17u, 25u, 38u, 57u, 86u, 129u, 194u, 291u, 437u, 656u, 854u, 1110u, 1443u, 1876u, 2439u,
    3171u, 3475u, 3823u, 4205u, 4626u, 5088u, 5597u, 6157u, 6772u, 7450u, 8195u, 9014u, 9916u, 10907u, 11998u, 13198u,
    14518u, 15970u, 17567u, 19323u, 21256u, 23382u, 25720u, 28292u, 31121u, 34233u, 37656u, 41422u, 45564u, 50121u,
    55133u, 60646u, 66711u, 73382u, 80721u, 88793u, 97672u, 107439u, 118183u, 130002u, 143002u, 157302u, 173032u,
    190335u, 209369u, 230306u, 253337u, 278670u, 306538u, 337191u, 370911u, 408002u, 448802u, 493682u, 543050u,
    597356u, 657091u, 722800u, 795081u, 874589u, 962048u, 1058252u, 1164078u, 1280486u, 1408534u, 1549388u, 1704327u,
    1874759u, 2062236u, 2268459u, 2495305u, 2744836u, 3019320u, 3321252u, 3653374u, 4018711u, 4420582u, 4862641u,
    5348905u, 5883796u, 6472176u, 7119394u, 7831333u, 8614467u, 9475909u, 10423501u, 11465851u, 12612437u, 13873681u,
    15261050u, 16787154u, 18465870u, 20312458u, 22343706u, 24578077u, 27035886u, 29739474u, 32713425u, 35984770u,
    39583245u, 43541573u, 47895730u, 52685306u, 57953837u, 63749221u, 70124148u, 77136564u, 84850228u, 93335252u,
    102668779u, 112935659u, 124229227u, 136652151u, 150317384u, 165349128u, 181884040u, 200072456u, 220079703u,
    242087671u, 266296456u, 292926096u, 322218735u, 354440623u, 389884688u, 428873168u, 471760495u, 518936559u,
    570830240u, 627913311u, 690704607u, 759775136u, 835752671u, 919327967u, 1011260767u, 1112386880u, 1223623232u,
    1345985727u, 1480584256u, 1628642751u, 1791507135u, 1970657856u, 2167723648u, 2384496256u, 2622945920u,
    2885240448u, 3173764736u, 3491141248u, 3840255616u, 4224281216u,
};

static inline uint8_t tlsh_swap(uint8_t byte) { return (uint8_t)(byte << 4 | byte >> 4); }

static uint8_t tlsh_length(uint32_t size) {
    unsigned low = 0, high = TLSH_LENGTHS - 1, at;
    while (low < high) {
        at = (low + high) / 2;
        if (tlsh_lengths[at] < size) low = at + 1;
        else high = at;
    }
    return (uint8_t)low;
}

static inline uint8_t tlsh_mix(uint8_t salt, uint8_t a, uint8_t b, uint8_t c) {
    return tlsh_pearson[tlsh_pearson[tlsh_pearson[salt ^ a] ^ b] ^ c];
}

/* Count the triplets of all windows of data, which has five bytes at least. Returns the checksum. The salts are what
 * the table has for 0, 2, 3, 5, 7, 11 and 13. Two sets of counters, so that neighbours seldom wait for each other. */
static uint8_t tlsh_count(const uint8_t *data, size_t size, uint32_t *buckets) {
    uint32_t others[256];
    uint8_t checksum = 0;
    size_t i;
    int n;
    memset(buckets, 0, 256 * sizeof(uint32_t));
    memset(others, 0, sizeof(others));
    for (i = 4; i < size; i++) { /* i - 4 >= 0; what is counted at is one byte */
        const uint8_t a = data[i], b = data[i - 1], c = data[i - 2], d = data[i - 3], e = data[i - 4];
        checksum = tlsh_mix(1, a, b, checksum);
        buckets[tlsh_mix(49, a, b, c)]++;
        others[tlsh_mix(12, a, b, d)]++;
        buckets[tlsh_mix(178, a, c, d)]++;
        others[tlsh_mix(166, a, c, e)]++;
        buckets[tlsh_mix(84, a, b, e)]++;
        others[tlsh_mix(230, a, d, e)]++;
    }
    for (n = 0; n < 256; n++) buckets[n] += others[n];
    return checksum;
}

static int tlsh_by_count(const void *left, const void *right) {
    const uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

/* The digest, as its digits stand in text. 0: there is none, the content is too short, too long or too uniform. */
static int tlsh_digest(const uint8_t *data, size_t size, uint8_t *out) {
    uint32_t buckets[256], sorted[TLSH_BUCKETS], q1, q2, q3;
    uint8_t checksum, quarters;
    int i, j, n_used = 0;
    if (size < TLSH_LEAST || size > tlsh_lengths[TLSH_LENGTHS - 1]) return 0;
    checksum = tlsh_count(data, size, buckets);
    for (i = 0; i < TLSH_BUCKETS; i++) n_used += buckets[i] > 0;
    memcpy(sorted, buckets, sizeof(sorted));
    qsort(sorted, TLSH_BUCKETS, sizeof(uint32_t), tlsh_by_count);
    q1 = sorted[TLSH_BUCKETS / 4 - 1];
    q2 = sorted[TLSH_BUCKETS / 2 - 1];
    q3 = sorted[TLSH_BUCKETS - TLSH_BUCKETS / 4 - 1];
    if (q3 == 0 || n_used <= TLSH_BUCKETS / 2) return 0;
    quarters = (uint8_t)((uint64_t)q1 * 100 / q3 % 16 << 4 | (uint64_t)q2 * 100 / q3 % 16);
    out[0] = tlsh_swap(checksum);
    out[1] = tlsh_swap(tlsh_length((uint32_t)size));
    out[2] = quarters;
    for (i = 0; i < TLSH_CODE; i++) {
        uint8_t code = 0;
        for (j = 0; j < 4; j++) {
            const uint32_t count = buckets[4 * i + j]; /* below 128 */
            code |= (uint8_t)((count > q1) + (count > q2) + (count > q3)) << (2 * j);
        }
        out[3 + TLSH_CODE - 1 - i] = code; /* the last four buckets stand first */
    }
    return 1;
}

/* -- distance */

/* A digest made ready to be compared. */
typedef struct {
    uint64_t code[4];
    uint32_t list;
    uint8_t length, q1, q2, checksum;
} TlshEntry;

static void tlsh_entry(TlshEntry *entry, const uint8_t *digest, uint32_t list) {
    memcpy(entry->code, digest + 3, TLSH_CODE);
    entry->list = list;
    entry->checksum = digest[0];
    entry->length = tlsh_swap(digest[1]);
    entry->q1 = digest[2] >> 4;
    entry->q2 = digest[2] & 15;
}

/* Distance on a ring. */
static inline uint32_t tlsh_ring(uint32_t a, uint32_t b, uint32_t ring) {
    const uint32_t d = a > b ? a - b : b - a;
    return d < ring - d ? d : ring - d;
}

static inline uint32_t tlsh_head(const TlshEntry *a, const TlshEntry *b) {
    const uint32_t length = tlsh_ring(a->length, b->length, 256);
    const uint32_t q1 = tlsh_ring(a->q1, b->q1, 16), q2 = tlsh_ring(a->q2, b->q2, 16);
    return (length <= 1 ? length : 12 * length) + (q1 <= 1 ? q1 : 12 * (q1 - 1)) + (q2 <= 1 ? q2 : 12 * (q2 - 1))
         + (a->checksum != b->checksum);
}

/* Two bits a bucket: quarters that differ by one cost 1, by two 2, by three 6. Where the exclusive or of both is 01
 * they differ by one, where it is 10 by two, where it is 11 by one (1 and 2) or three (0 and 3: both bits alike). */
#define TLSH_LOW 0x5555555555555555ull
#define TLSH_WORD(a, b)                                                                                     \
    do {                                                                                                    \
        const uint64_t x = (a) ^ (b), low = x & TLSH_LOW, high = x >> 1 & TLSH_LOW;                         \
        const uint64_t far = low & high & ~((a) ^ (a) >> 1);                                                \
        sum += __builtin_popcountll(low) + 2 * __builtin_popcountll(high & ~low) + 5 * __builtin_popcountll(far); \
    } while (0)

#define TLSH_BODY(name, target)                                                              \
    target static uint32_t name(const TlshEntry *a, const TlshEntry *b) {                    \
        uint32_t sum = 0;                                                                    \
        int i;                                                                               \
        for (i = 0; i < 4; i++) TLSH_WORD(a->code[i], b->code[i]);                           \
        return sum;                                                                          \
    }                                                                                        \
    /* Entries of one length within `limit`: the nearest of each list goes to `best`. */     \
    target static void name##_scan(const TlshEntry *from, const TlshEntry *end, const TlshEntry *to, uint32_t limit, \
                                   uint32_t *best) {                                         \
        for (; from < end; from++) {                                                         \
            uint32_t sum = tlsh_head(from, to);                                              \
            int i;                                                                           \
            if (sum > limit) continue;                                                       \
            for (i = 0; i < 4 && sum <= limit; i++) TLSH_WORD(from->code[i], to->code[i]);   \
            if (sum <= limit && sum < best[from->list]) best[from->list] = sum;              \
        }                                                                                    \
    }

TLSH_BODY(tlsh_body, )
#if defined(__x86_64__)
TLSH_BODY(tlsh_body_popcnt, __attribute__((target("popcnt"))))
#endif

static int tlsh_has_popcnt(void) {
#if defined(__x86_64__)
    return __builtin_cpu_supports("popcnt") != 0;
#else
    return 0;
#endif
}

static uint32_t tlsh_distance(const uint8_t *left, const uint8_t *right) {
    TlshEntry a, b;
    tlsh_entry(&a, left, 0);
    tlsh_entry(&b, right, 0);
    return tlsh_head(&a, &b) + tlsh_body(&a, &b);
}

/* `entries` are sorted by length, those of a length begin at first[length]. `best`: one a list, none above limit + 1
 * at first. Lengths that alone are too far are not looked at. */
static void tlsh_search(const TlshEntry *entries, const uint32_t *first, const TlshEntry *to, uint32_t limit,
                        int has_popcnt, uint32_t *best) {
    uint32_t n_steps = limit >= 24 ? limit / 12 : limit >= 1, i; /* a step costs 1, two and more 12 each */
    if (n_steps > 127) n_steps = 127;
    for (i = 0; i <= 2 * n_steps; i++) {
        const uint8_t length = (uint8_t)(to->length + i - n_steps); /* 2 * 127 + 1 different ones */
        const TlshEntry *from = entries + first[length], *end = entries + first[length + 1];
#if defined(__x86_64__)
        if (has_popcnt) {
            tlsh_body_popcnt_scan(from, end, to, limit, best);
            continue;
        }
#endif
        tlsh_body_scan(from, end, to, limit, best);
    }
}

#endif
