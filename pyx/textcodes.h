/* Quoted-printable, uuencode, yEnc and BinHex decoding, lenient. Every function writes at most as many bytes as
 * it reads (uuencode: one more, BinHex: see binhex_decode) and returns the size. Not here: base64 (base64.h). */
#ifndef MXWARD_TEXTCODES_H
#define MXWARD_TEXTCODES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    QP_RFC,   /* RFC 2045 6.7: damaged escapes stay as they are */
    QP_SKIP,  /* a damaged escape's '=' is dropped */
    QP_LOOSE, /* white space and line ends inside an escape are skipped */
    QP_WIDE,  /* any two characters behind '=' are taken as digits: value of the low nibble */
    QP_DROP,  /* '=' and one digit without a second one are dropped */
    QP_UPPER, /* lower-case digits are damage: '=' and what was read so far is dropped */
    QP_MODES
};

static inline int upper_hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static inline int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

/* End of a soft break whose '=' is at s[p]: behind the line feed, or 0 when it is none. */
static size_t qp_soft_break(const uint8_t* s, size_t n, size_t p)
{
    p++;
    while (p < n && (s[p] == ' ' || s[p] == '\t' || s[p] == '\r')) p++;
    if (p == n) return n;
    return s[p] == '\n' ? p + 1 : 0;
}

/* QP_DROP and QP_UPPER: damaged escapes between '=' and its digits vanish. Same contract as qp_escape. Every byte is
 * skipped once, so the cost stays linear. */
static size_t qp_escape_drop(const uint8_t* s, size_t n, size_t p, int mode, uint8_t** out)
{
    size_t q = p + 1, soft;
    int high, low;
    while (n - q >= 3 && s[q] == '=') {
        if (mode == QP_DROP && hex_value(s[q + 1]) >= 0 && hex_value(s[q + 2]) < 0) q += 2;
        else if (mode == QP_UPPER && s[q + 1] != '=' && upper_hex_value(s[q + 1]) < 0) q += 2;
        else break;
    }
    soft = qp_soft_break(s, n, q - 1);
    if (soft) return soft;
    if (n - q < 2) {
        *(*out)++ = '=';
        return q;
    }
    high = mode == QP_UPPER ? upper_hex_value(s[q]) : hex_value(s[q]);
    low = mode == QP_UPPER ? upper_hex_value(s[q + 1]) : hex_value(s[q + 1]);
    if (high >= 0 && low >= 0) {
        *(*out)++ = (uint8_t)(high << 4 | low);
        return q + 2;
    }
    if (high >= 0) return mode == QP_UPPER ? q + 2 : q + 1;
    if (mode == QP_UPPER && s[q] != '=') return q + 1;
    *(*out)++ = '=';
    return q;
}

/* One escape at s[p] == '='. Appends to *out; returns the new position (> p). */
static size_t qp_escape(const uint8_t* s, size_t n, size_t p, int mode, uint8_t** out)
{
    size_t soft = qp_soft_break(s, n, p), q = p + 1;
    int high = -1, low = -1;
    if (soft) return soft;
    if (mode >= QP_DROP) return qp_escape_drop(s, n, p, mode, out);
    if (n - p >= 3) {
        high = hex_value(s[p + 1]);
        low = hex_value(s[p + 2]);
    }
    if (high >= 0 && low >= 0) {
        *(*out)++ = (uint8_t)(high << 4 | low);
        return p + 3;
    }
    if (mode == QP_SKIP) return p + 1;
    if (mode == QP_LOOSE) {
        /* "=\r\nHH", "= HH", "=H\nH": at most eight bytes are looked at, so the cost stays linear */
        size_t limit = n - p > 8 ? p + 8 : n;
        high = -1;
        for (; q < limit; q++) {
            int v = hex_value(s[q]);
            if (v < 0 && (s[q] == '=' || s[q] == ' ' || s[q] == '\t' || s[q] == '\r' || s[q] == '\n')) continue;
            if (v < 0) break;
            if (high >= 0) {
                *(*out)++ = (uint8_t)(high << 4 | v);
                return q + 1;
            }
            high = v;
        }
    }
    if (mode == QP_WIDE && n - p >= 3) {
        int a = high >= 0 ? high : (s[p + 1] | 32) - 'a' + 10, b = low >= 0 ? low : (s[p + 2] | 32) - 'a' + 10;
        *(*out)++ = (uint8_t)(((unsigned)a << 4) + (unsigned)b);
        return p + 3;
    }
    *(*out)++ = '=';
    return p + 1;
}

static size_t qp_decode(const uint8_t* s, size_t n, int mode, uint8_t* out)
{
    uint8_t* o = out;
    size_t p = 0;
    while (p < n) {
        const uint8_t* lf = memchr(s + p, '\n', n - p);
        size_t next = lf ? (size_t)(lf - s) + 1 : n, end = next, eol;
        /* RFC 2045 6.7 (3): white space at the end of a line was added in transit */
        while (end > p && (s[end - 1] == '\n' || s[end - 1] == '\r')) end--;
        eol = end;
        while (end > p && (s[end - 1] == ' ' || s[end - 1] == '\t')) end--;
        while (p < end) {
            const uint8_t* eq = memchr(s + p, '=', end - p);
            size_t stop = eq ? (size_t)(eq - s) : end;
            memcpy(o, s + p, stop - p);
            o += stop - p;
            p = stop;
            if (p < end) p = qp_escape(s, n, p, mode, &o); /* may pass `next`: a soft or repaired break */
        }
        if (p < eol) p = eol;
        if (p < next) {
            memcpy(o, s + p, next - p);
            o += next - p;
            p = next;
        }
    }
    return (size_t)(o - out);
}

typedef struct { /* what a quoted-printable body looks like */
    size_t bad, first_bad; /* escapes that are neither two hex digits nor a soft break; offset of the first, or n */
    size_t odd;            /* of these, how many stand directly before another escape */
    size_t lower, upper;   /* proper escapes with lower-case digits, with upper-case letters or digits only */
} QpLook;

static void qp_inspect(const uint8_t* s, size_t n, QpLook* look)
{
    size_t p = 0;
    memset(look, 0, sizeof *look);
    look->first_bad = n;
    while (p < n) {
        const uint8_t* eq = memchr(s + p, '=', n - p);
        size_t soft;
        if (eq == NULL) break;
        p = (size_t)(eq - s);
        soft = qp_soft_break(s, n, p);
        if (soft) {
            p = soft;
        } else if (n - p >= 3 && hex_value(s[p + 1]) >= 0 && hex_value(s[p + 2]) >= 0) {
            if (s[p + 1] >= 'a' || s[p + 2] >= 'a') look->lower++;
            else look->upper++;
            p += 3;
        } else {
            if (look->bad++ == 0) look->first_bad = p;
            /* "=0=41", "==a41", "=\x0141": the damage touches a proper escape */
            if (n - p >= 4 && hex_value(s[p + 1]) >= 0 && s[p + 2] == '=' && hex_value(s[p + 3]) >= 0) look->odd++;
            else if (n - p >= 4 && s[p + 1] == '=' && hex_value(s[p + 2]) >= 0) look->odd++;
            p++;
        }
    }
}

/* Start of the line behind s[p]. */
static inline size_t code_next_line(const uint8_t* s, size_t n, size_t p)
{
    const uint8_t* lf = memchr(s + p, '\n', n - p);
    return lf ? (size_t)(lf - s) + 1 : n;
}

static inline size_t code_line_text(const uint8_t* s, size_t p, size_t next)
{
    while (next > p && (s[next - 1] == '\n' || s[next - 1] == '\r')) next--;
    return next - p;
}

static inline int code_starts(const uint8_t* s, size_t n, size_t p, const char* word)
{
    size_t w = strlen(word);
    return n - p >= w && memcmp(s + p, word, w) == 0;
}

/* One uuencoded line: count character, then groups of four for three bytes (characters missing at the end are
 * zero, as decoders do). Output at most the count says (63) and at most three for a group begun: with the line end that
 * is no more than was read, but for a last line of two characters without one. */
static size_t uu_line(const uint8_t* s, size_t n, uint8_t* out)
{
    size_t count, i, done = 0;
    if (n == 0) return 0;
    count = (size_t)(s[0] - 32) & 63;
    for (i = 1; done < count && i < n; i += 4) {
        uint32_t g = 0;
        size_t k;
        for (k = 0; k < 4; k++) g = g << 6 | (i + k < n ? (uint32_t)(s[i + k] - 32) & 63 : 0);
        for (k = 0; k < 3 && done < count; k++) out[done++] = (uint8_t)(g >> (16 - 8 * k));
    }
    return done;
}

/* Decodes from "begin" (or from the first line when there is none) to "end". */
static size_t uu_decode(const uint8_t* s, size_t n, uint8_t* out)
{
    size_t p = 0, q, o = 0;
    for (q = 0; q < n; q = code_next_line(s, n, q))
        if (code_starts(s, n, q, "begin ")) {
            p = code_next_line(s, n, q);
            break;
        }
    while (p < n) {
        size_t next = code_next_line(s, n, p), len = code_line_text(s, p, next);
        if (len == 3 && code_starts(s, n, p, "end")) break;
        o += uu_line(s + p, len, out + o);
        p = next;
    }
    return o;
}

/* yEnc (draft of 2002): every byte minus 42; '=' escapes one byte, minus 64 more. */
static size_t yenc_decode(const uint8_t* s, size_t n, uint8_t* out)
{
    size_t p = 0, q, o = 0;
    for (q = 0; q < n; q = code_next_line(s, n, q))
        if (code_starts(s, n, q, "=ybegin ")) {
            p = q;
            break;
        }
    while (p < n) {
        size_t next = code_next_line(s, n, p), end = next, i;
        if (code_starts(s, n, p, "=yend")) break;
        if (code_starts(s, n, p, "=ybegin ") || code_starts(s, n, p, "=ypart ")) {
            p = next;
            continue;
        }
        if (end > p && s[end - 1] == '\n') end--;
        if (end > p && s[end - 1] == '\r') end--;
        for (i = p; i < end; i++) {
            if (s[i] == '=' && i + 1 < end) {
                i++;
                out[o++] = (uint8_t)(s[i] - 64 - 42);
            } else {
                out[o++] = (uint8_t)(s[i] - 42);
            }
        }
        p = next;
    }
    return o;
}

static const char BINHEX_ALPHABET[] = "!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr";

/* BinHex 4.0 (RFC 1741): six bits a character between colons, then runs ("byte 0x90 count"), then the data fork
 * behind the file header. `cap` bounds the output, because a run of three bytes stands for 255. */
static size_t binhex_decode(const uint8_t* s, size_t n, uint8_t* out, size_t cap)
{
    int8_t value[256];
    size_t p = 0, o = 0, skip, i;
    uint32_t acc = 0;
    int have = 0, run = 0;
    uint8_t last = 0;
    memset(value, -1, sizeof value);
    for (i = 0; i < 64; i++) value[(uint8_t)BINHEX_ALPHABET[i]] = (int8_t)i;
    while (p < n && !(s[p] == ':' && (p == 0 || s[p - 1] == '\n'))) p++;
    for (p++; p < n && s[p] != ':'; p++) {
        int v = value[s[p]];
        uint8_t byte;
        if (v < 0) continue;
        acc = (acc << 6 | (uint32_t)v) & 0xffffff;
        have += 6;
        if (have < 8) continue;
        have -= 8;
        byte = (uint8_t)(acc >> have);
        if (run) {
            size_t times = byte ? (size_t)byte - 1 : 1;
            run = 0;
            if (byte == 0) last = 0x90;
            for (i = 0; i < times && o < cap; i++) out[o++] = last;
        } else if (byte == 0x90) {
            run = 1;
        } else if (o < cap) {
            out[o++] = last = byte;
        } else {
            break;
        }
    }
    if (o == 0) return 0;
    skip = 1 + (size_t)out[0] + 1 + 4 + 4 + 2 + 4 + 4 + 2; /* name, version, type, creator, flags, two sizes, CRC */
    if (skip >= o) return o;
    memmove(out, out + skip, o - skip);
    return o - skip;
}

#endif
