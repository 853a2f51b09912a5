/* Folding of UTF-8 by a table of one entry a character: lower case, white space to one space, what the table says.
 *
 * The table is made page by page when a page is first met (fold.pyx, which knows Unicode). What depends on neighbours
 * (marks that join their base, reordering) is not decided here: the run is given back. Nothing is read beyond `size`. */
#ifndef MXWARD_FOLD_H
#define MXWARD_FOLD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* One character: what it becomes, at most 6 bytes of UTF-8; entries are compared with neighbours by `order`. */
typedef struct {
    uint8_t size;    /* bytes of `text`; FOLD_SLOW: depends on its neighbours, or is longer */
    uint8_t order;   /* canonical combining class */
    char text[6];
} fold_entry;
#define FOLD_SLOW 255
#define FOLD_PAGES 0x1100

typedef struct {
    const uint8_t *data; size_t size, at;
    uint8_t *out; size_t n, room;
    int is_space;        /* the last byte written is a space, or nothing is written */
    int order;           /* combining class of the last character */
    size_t run, run_n;   /* where the run of other than ASCII began, with the ASCII before it; what was written then */
    int run_space;
    fold_entry **pages;
    uint32_t page;       /* FOLD_PAGE: the page that is missing */
} fold_state;

enum { FOLD_DONE, FOLD_PAGE, FOLD_RUN, FOLD_ROOM };

/* ASCII to lower case, its white space (as str.split has it) to a space. */
static const uint8_t FOLD_ASCII[128] = {
    0, 1, 2, 3, 4, 5, 6, 7, 8, ' ', ' ', ' ', ' ', ' ', 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, ' ', ' ', ' ',
    ' ', ' ', '!', '"', '#', '$', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/', '0', '1', '2', '3', '4', '5', '6',
    '7', '8', '9', ':', ';', '<', '=', '>', '?', '@', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n',
    'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', '[', '\\', ']', '^', '_', '`', 'a', 'b', 'c', 'd', 'e', 'f',
    'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', '{', '|', '}', '~', 127,
};

#if defined(__x86_64__)
/* Whole blocks of 64 bytes of ASCII. Room for size - at bytes was made by the caller. */
__attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2")))
static void fold_blocks(fold_state *s)
{
    const __m512i capital = _mm512_set1_epi8('A'), letters = _mm512_set1_epi8(26), gap = _mm512_set1_epi8(32);
    const __m512i space = _mm512_set1_epi8(' ');
    uint64_t before = (uint64_t)s->is_space;
    /* a run begins with the ASCII byte before it: the last block before one is left to the loop that notes where */
    while (s->size - s->at > 64 && s->data[s->at + 64] < 0x80) {
        __m512i block = _mm512_loadu_si512((const void *)(s->data + s->at));
        if (_mm512_movepi8_mask(block)) break;
        uint64_t blank = _mm512_cmpeq_epi8_mask(block, space)
            | _mm512_cmplt_epu8_mask(_mm512_sub_epi8(block, _mm512_set1_epi8(9)), _mm512_set1_epi8(5))
            | _mm512_cmplt_epu8_mask(_mm512_sub_epi8(block, _mm512_set1_epi8(28)), _mm512_set1_epi8(4));
        uint64_t upper = _mm512_cmplt_epu8_mask(_mm512_sub_epi8(block, capital), letters);
        block = _mm512_mask_add_epi8(block, upper, block, gap);
        block = _mm512_mask_mov_epi8(block, blank, space);
        uint64_t keep = ~(blank & (blank << 1 | before));
        _mm512_storeu_si512((void *)(s->out + s->n), _mm512_maskz_compress_epi8(keep, block));  /* room >= n + 64 */
        s->n += (size_t)__builtin_popcountll(keep);
        before = blank >> 63;
        s->at += 64;
    }
    s->is_space = (int)before;
}

static int fold_has_blocks(void)
{
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi2");
}
#else
static void fold_blocks(fold_state *s) { (void)s; }
static int fold_has_blocks(void) { return 0; }
#endif

/* The character at `at` and its width; broken UTF-8 gives U+FFFD and width 1. Lone surrogates are characters. */
static inline uint32_t fold_decode(const uint8_t *s, size_t left, size_t *width)
{
    *width = 1;
    if (s[0] < 0xc2 || s[0] > 0xf4) return 0xfffd;
    size_t n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (left < n) return 0xfffd;
    uint32_t c = s[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) return 0xfffd;
        c = c << 6 | (s[i] & 0x3f);
    }
    if ((n == 3 && c < 0x800) || (n == 4 && (c < 0x10000 || c > 0x10ffff))) return 0xfffd;
    *width = n;
    return c;
}

/* Write one character's text; spaces are joined. At most 6 bytes. */
static inline void fold_put(fold_state *s, const fold_entry *e)
{
    if (e->size == 1 && e->text[0] == ' ') {
        s->out[s->n] = ' ';
        s->n += !s->is_space;
        s->is_space = 1;
    } else if (e->size) {
        memcpy(s->out + s->n, e->text, 6);
        s->n += e->size;
        s->is_space = 0;
    }
}

/* On from `at`. Room for the rest of the source and 64 bytes more is kept; FOLD_ROOM asks for it. */
static int fold_some(fold_state *s, int use_blocks)
{
    int in_run = s->run < s->at;
    while (s->at < s->size) {
        if (s->room - s->n < s->size - s->at + 64) return FOLD_ROOM;
        if (s->data[s->at] < 0x80) {
            if (use_blocks && s->size - s->at >= 64) fold_blocks(s);
            /* up to the next other character; room >= n + (size - at) + 64 */
            size_t at = s->at, n = s->n;
            int blank = s->is_space;
            const size_t stop = use_blocks && s->size - at >= 128 ? at + 64 : s->size;
            for (; at < stop && s->data[at] < 0x80; at++) {
                s->run_n = n;
                s->run_space = blank;
                uint8_t c = FOLD_ASCII[s->data[at]];
                s->out[n] = c;
                n += !(blank & (c == ' '));
                blank = c == ' ';
            }
            if (at > s->at) { s->run = at - 1; in_run = at < s->size && s->data[at] >= 0x80; }
            s->at = at; s->n = n; s->is_space = blank; s->order = 0;
            continue;
        }
        size_t width;
        uint32_t c = fold_decode(s->data + s->at, s->size - s->at, &width);
        if (!in_run) { s->run = s->at; s->run_n = s->n; s->run_space = s->is_space; in_run = 1; }
        fold_entry *page = s->pages[c >> 8];
        if (page == NULL) { s->page = c >> 8; return FOLD_PAGE; }
        const fold_entry *e = &page[c & 255];
        if (e->size == FOLD_SLOW || (e->order && e->order < s->order)) return FOLD_RUN;
        if (e->size) s->order = e->order;
        fold_put(s, e);
        s->at += width;
    }
    return FOLD_DONE;
}

/* Where the run of other than ASCII that holds `at` ends. */
static size_t fold_run_end(const fold_state *s)
{
    size_t at = s->at;
    while (at < s->size && s->data[at] >= 0x80) at++;
    return at;
}

/* Instead of the run: `text`, folded already, white space in it as single spaces. Room for it was made. */
static void fold_replace_run(fold_state *s, const uint8_t *text, size_t size, size_t end)
{
    s->n = s->run_n;
    s->is_space = s->run_space;
    for (size_t i = 0; i < size; i++) {
        s->out[s->n] = text[i];
        s->n += !(s->is_space && text[i] == ' ');
        s->is_space = text[i] == ' ';
    }
    s->at = s->run = end;
    s->order = 0;
}

/* Words while look-alikes are read as Latin letters. */
enum { SKELETON_LOOKALIKE = 1, SKELETON_LATIN = 2, SKELETON_OTHER = 4 };
typedef struct { uint32_t latin, lookalike, other, mixed; } skeleton_words;

static inline void skeleton_end_word(skeleton_words *w)
{
    w->mixed += w->latin >= 2 && w->lookalike && !w->other;
    w->latin = w->lookalike = w->other = 0;
}

static inline int skeleton_is_letter(uint8_t c) { return c >= 'a' && c <= 'z'; }

/* A run of ASCII, which stays as it is: only the words at its two ends may have other letters. Room was made for it. */
static inline void skeleton_ascii(fold_state *s, skeleton_words *w)
{
    size_t end = s->at, i = s->at;
    uint64_t eight;
    for (; s->size - end >= 8; end += 8) {
        memcpy(&eight, s->data + end, 8);
        if (eight & 0x8080808080808080ULL) break;
    }
    while (end < s->size && s->data[end] < 0x80) end++;
    memcpy(s->out + s->n, s->data + s->at, end - s->at);
    s->n += end - s->at;
    while (i < end && skeleton_is_letter(s->data[i])) i++;
    w->latin += (uint32_t)(i - s->at);
    if (i < end) {
        skeleton_end_word(w);
        for (i = end; skeleton_is_letter(s->data[i - 1]); i--) w->latin++; /* stops at what is no letter, before end */
    }
    s->at = end;
}

/* As fold_some for text that is folded: every character on its own; entry->order holds SKELETON_*. */
static int skeleton_some(fold_state *s, skeleton_words *w)
{
    while (s->at < s->size) {
        if (s->room - s->n < s->size - s->at + 64) return FOLD_ROOM;
        if (s->data[s->at] < 0x80) {
            skeleton_ascii(s, w);
            continue;
        }
        size_t width;
        uint32_t c = fold_decode(s->data + s->at, s->size - s->at, &width);
        fold_entry *page = s->pages[c >> 8];
        if (page == NULL) { s->page = c >> 8; return FOLD_PAGE; }
        const fold_entry *e = &page[c & 255];
        w->lookalike += e->order & SKELETON_LOOKALIKE;
        w->latin += (e->order & SKELETON_LATIN) != 0;
        w->other += (e->order & SKELETON_OTHER) != 0;
        if (e->order == 0 && e->size) skeleton_end_word(w);
        if (e->size == FOLD_SLOW) {  /* as it is */
            memcpy(s->out + s->n, s->data + s->at, width);
            s->n += width;
        } else {
            memcpy(s->out + s->n, e->text, 6);
            s->n += e->size;
        }
        s->at += width;
    }
    skeleton_end_word(w);
    return FOLD_DONE;
}
#endif
