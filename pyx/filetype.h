/* The true type of content by its bytes: a table of magic numbers, then containers that need a look inside.
 *
 * The data are filetype_table.h, looks inside documents filetype_inside.h. Every function takes (data, size) and
 * reads only inside; nothing is allocated, nothing is kept. What a type means is not here
 * (core/detect/filetype.py). Formats: the vendors' own descriptions, RFC 4155, APPNOTE 6.3.10, MS-CFB, ISO 9660.
 * Compared in tests against samples and against libmagic. */
#ifndef MXWARD_FILETYPE_H
#define MXWARD_FILETYPE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "filetype_inside.h"
#include "filetype_table.h"

static uint8_t ft_first[256];             /* row + 1 of the first magic with that first byte, 0: none */
static uint8_t ft_next[FT_N_MAGIC];       /* row + 1 of the next one */
static uint8_t ft_late[FT_N_MAGIC], ft_n_late;  /* rows whose offset is not 0 */

/* Build the index; called once at import. FT_N_MAGIC < 255 keeps row + 1 in a byte. */
static void ft_init(void)
{
    _Static_assert(FT_N_MAGIC < 255, "row + 1 must fit a byte");
    memset(ft_first, 0, sizeof ft_first);
    ft_n_late = 0;
    for (size_t row = FT_N_MAGIC; row-- > 0;) {
        if (FT_MAGIC[row].offset) { ft_late[ft_n_late++] = (uint8_t)row; continue; }
        uint8_t key = (uint8_t)FT_MAGIC[row].bytes[0];
        ft_next[row] = ft_first[key];
        ft_first[key] = (uint8_t)(row + 1);
    }
}

static int ft_by_magic(const uint8_t *data, size_t size)
{
    for (unsigned row = ft_first[data[0]]; row; row = ft_next[row - 1]) {
        const ft_magic *m = &FT_MAGIC[row - 1];
        if (m->size <= size && memcmp(data, m->bytes, m->size) == 0) return m->type;
    }
    for (unsigned i = 0; i < ft_n_late; i++) {
        const ft_magic *m = &FT_MAGIC[ft_late[i]];
        if (ft_at(data, size, m->offset, m->bytes, m->size)) return m->type;
    }
    return FT_UNKNOWN;
}

/* ---- text: after white space and byte order marks; UTF-16 is narrowed to 8 bits first ---- */
enum { FT_SNIFF = 1024 };

static inline uint8_t ft_lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

/* Does `data` begin with `word` (given in lower case), any case? */
static int ft_word(const uint8_t *data, size_t size, const char *word)
{
    size_t n = strlen(word);
    if (n > size) return 0;
    for (size_t i = 0; i < n; i++)
        if (ft_lower(data[i]) != (uint8_t)word[i]) return 0;
    return 1;
}

/* Is `word` (lower case, its first character not a letter) within the first `size` bytes, any case? */
static int ft_has(const uint8_t *data, size_t size, const char *word)
{
    /* every word that is looked for begins with a character that has no case: memchr skips what cannot match */
    const uint8_t *at = data, *end = data + size;
    while (at < end && (at = memchr(at, word[0], (size_t)(end - at))) != NULL) {
        if (ft_word(at, (size_t)(end - at), word)) return 1;
        at++;
    }
    return 0;
}

static int ft_markup(const uint8_t *data, size_t size)
{
    static const char *const HTML[] = {
        "<!doctype html", "<html", "<head", "<body", "<script", "<table", "<iframe", "<title", "<meta", "<div",
        "<p>", "<p ", "<br", "<a ", "<style", "<center", "<font", "<form", "<img", "<h1", "<base", "<link", "<span",
    };
    if (ft_has(data, size, "<hta:application")) return FT_HTA;
    if (ft_word(data, size, "<?xml") || ft_word(data, size, "<!doctype svg") || ft_word(data, size, "<svg")) {
        if (ft_has(data, size, "<svg")) return FT_SVG;
        if (ft_has(data, size, "<scriptlet")) return FT_SCT;
        if (ft_has(data, size, "<job") || ft_has(data, size, "<package")) return FT_WSF;
        if (ft_has(data, size, "<html") || ft_has(data, size, "<!doctype html")) return FT_HTML;
        return FT_XML;
    }
    if (ft_word(data, size, "<scriptlet") || ft_word(data, size, "<component")) return FT_SCT;
    if (ft_word(data, size, "<job") || ft_word(data, size, "<package>")) return FT_WSF;
    if (ft_word(data, size, "<?php")) return FT_PHP;
    if (ft_word(data, size, "<!--")) {  /* a comment first: what follows decides */
        if (ft_has(data, size, "<html") || ft_has(data, size, "<body") || ft_has(data, size, "<script")) return FT_HTML;
        return ft_has(data, size, "<svg") ? FT_SVG : FT_UNKNOWN;
    }
    for (size_t i = 0; i < sizeof(HTML) / sizeof(HTML[0]); i++)
        if (ft_word(data, size, HTML[i])) return FT_HTML;
    return FT_UNKNOWN;
}

static int ft_shebang(const uint8_t *data, size_t size)
{
    size_t end = 0;
    while (end < size && end < 128 && data[end] != '\n') end++;
    if (ft_find(data, end, end, "python", 6)) return FT_PYTHON;
    if (ft_find(data, end, end, "perl", 4)) return FT_PERL;
    if (ft_find(data, end, end, "php", 3)) return FT_PHP;
    return ft_find(data, end, end, "sh", 2) ? FT_SHELL : FT_SCRIPT;
}

/* A mail: at least `enough` of the fields that mail begins with, at line starts, before the first blank line. */
static int ft_mail(const uint8_t *data, size_t size, int enough)
{
    static const char *const FIELDS[] = {
        "received: ", "from: ", "to: ", "subject: ", "date: ", "message-id: ", "mime-version: ", "return-path: ",
        "delivered-to: ", "content-type: ", "dkim-signature: ", "reply-to: ", "x-",
    };
    int seen = 0;
    for (size_t at = 0; at < size;) {
        if (data[at] == '\r' || data[at] == '\n') break;
        for (size_t i = 0; i < sizeof(FIELDS) / sizeof(FIELDS[0]); i++)
            if (ft_word(data + at, size - at, FIELDS[i])) { seen++; break; }
        if (at == 0 && !seen) return FT_UNKNOWN;
        const uint8_t *line = memchr(data + at, '\n', size - at);
        if (line == NULL) break;
        at = (size_t)(line - data) + 1;
    }
    return seen >= enough ? FT_EML : FT_UNKNOWN;
}

/* A mailbox: mail behind a line that begins with "From ". */
static int ft_mailbox(const uint8_t *data, size_t size)
{
    const uint8_t *line = memchr(data, '\n', size);
    if (line == NULL) return 0;
    size_t at = (size_t)(line - data) + 1;
    return ft_has(data, size, "\nreceived: ") || ft_mail(data + at, size - at, 2) != FT_UNKNOWN;
}

/* A text in which a file is encoded further down: "begin 644 name" or "=ybegin " at the start of a line. */
static int ft_encoded(const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size;
    for (const uint8_t *at = data; (at = memchr(at, '\n', (size_t)(end - at))) != NULL;) {
        at++;
        size_t left = (size_t)(end - at);
        if (left > 10 && memcmp(at, "begin ", 6) == 0 && at[6] >= '0' && at[6] <= '7' && at[7] >= '0' && at[7] <= '7'
            && at[8] >= '0' && at[8] <= '7' && at[9] == ' ')
            return FT_UU;
        if (left > 8 && memcmp(at, "=ybegin ", 8) == 0) return FT_YENC;
    }
    return FT_UNKNOWN;
}

static int ft_text(const uint8_t *data, size_t size)
{
    size_t at = 0;
    if (size > FT_SNIFF) size = FT_SNIFF;
    while (at < size && (data[at] == ' ' || (data[at] >= 9 && data[at] <= 13))) at++;
    data += at;
    size -= at;
    if (size < 3) return FT_UNKNOWN;
    switch (data[0]) {
    case '<': return ft_markup(data, size);
    case '{': return ft_word(data, size, "{\\rt") ? FT_RTF : FT_UNKNOWN;
    case '#': return data[1] == '!' ? ft_shebang(data, size) : FT_UNKNOWN;
    case '@': return ft_word(data, size, "@echo off") ? FT_BATCH : FT_UNKNOWN;
    case '[':
        return ft_word(data, size, "[internetshortcut]") || ft_word(data, size, "[{000214a0-") ? FT_URL : FT_UNKNOWN;
    case '=': return ft_word(data, size, "=ybegin ") ? FT_YENC : FT_UNKNOWN;
    case 'b': case 'B':
        if (ft_word(data, size, "begin:vcalendar")) return FT_ICS;
        if (ft_word(data, size, "begin:vcard")) return FT_VCF;
        return ft_word(data, size, "begin ") && size > 10 && data[6] >= '0' && data[6] <= '7' && data[9] == ' ' ? FT_UU
                                                                                                          : FT_UNKNOWN;
    case 'I': return ft_at(data, size, 0, "ID;P", 4) ? FT_SLK : FT_UNKNOWN;
    case 'F': if (ft_at(data, size, 0, "From ", 5) && ft_mailbox(data, size)) return FT_MBOX; break;
    case 'W':
        if (ft_at(data, size, 0, "WEBVTT", 6)) return FT_VTT;
        if (ft_at(data, size, 0, "Windows Registry Editor", 23)) return FT_REG;
        return ft_at(data, size, 0, "WEB\r\n1\r\n", 8) || ft_at(data, size, 0, "WEB\n1\n", 6) ? FT_IQY : FT_UNKNOWN;
    case 'R': if (ft_at(data, size, 0, "REGEDIT4", 8)) return FT_REG; break;
    default: break;
    }
    return ft_mail(data, size, 3) ? FT_EML : ft_encoded(data, size);
}

/* UTF-16 with a byte order mark, or the UTF-8 mark: the same text tests on 8-bit text. */
static int ft_marked_text(const uint8_t *data, size_t size)
{
    uint8_t narrow[FT_SNIFF];
    size_t n = 0;
    int big = data[0] == 0xfe && data[1] == 0xff;
    if (size >= 3 && data[0] == 0xef && data[1] == 0xbb && data[2] == 0xbf) return ft_text(data + 3, size - 3);
    if (!big && !(data[0] == 0xff && data[1] == 0xfe)) return FT_UNKNOWN;
    for (size_t at = 2; at + 1 < size && n < FT_SNIFF; at += 2)
        narrow[n++] = data[at + (big ? 0 : 1)] ? '?' : data[at + (big ? 1 : 0)];
    return ft_text(narrow, n);
}

/* ---- families that need a second look ---- */
static int ft_riff(const uint8_t *data, size_t size)
{
    if (FT_AT(8, "WAVE")) return FT_WAV;
    if (FT_AT(8, "AVI ")) return FT_AVI;
    if (FT_AT(8, "WEBP")) return FT_WEBP;
    return FT_AT(8, "ACON") ? FT_ANI : FT_UNKNOWN;
}

static int ft_iso_media(const uint8_t *data, size_t size)
{
    if (FT_AT(4, "moov") || FT_AT(4, "mdat") || FT_AT(4, "wide") || FT_AT(4, "free")) return FT_MOV;
    if (!FT_AT(4, "ftyp")) return FT_UNKNOWN;
    if (FT_AT(8, "qt  ")) return FT_MOV;
    if (FT_AT(8, "M4A") || FT_AT(8, "M4B") || FT_AT(8, "F4A") || FT_AT(8, "F4B")) return FT_M4A;
    if (FT_AT(8, "avif") || FT_AT(8, "avis")) return FT_AVIF;
    if (FT_AT(8, "heic") || FT_AT(8, "heix") || FT_AT(8, "mif1") || FT_AT(8, "hevc")) return FT_HEIC;
    return FT_AT(8, "jxl ") ? FT_JXL : FT_MP4;
}

/* 0xCAFEBABE: a Java class has a major version from 45 up in bytes 6-7, a fat Mach-O a small number of parts. */
static int ft_cafebabe(const uint8_t *data, size_t size)
{
    if (size < 8) return FT_CLASS;
    return data[4] == 0 && data[5] == 0 && data[6] == 0 && data[7] < 40 ? FT_MACHO : FT_CLASS;
}

static int ft_bitmap(const uint8_t *data, size_t size)
{
    if (size < 26 || data[6] || data[7] || data[8] || data[9]) return FT_UNKNOWN;
    uint32_t header = ft_u32(data + 14);
    return header == 12 || (header >= 40 && header <= 124) || header == 64 ? FT_BMP : FT_UNKNOWN;
}

/* ICO and CUR have four bytes of magic that plain data has too: the first directory entry must make sense. */
static int ft_icon(const uint8_t *data, size_t size)
{
    if (size < 22 || data[0] || data[1] || data[3] || (data[2] != 1 && data[2] != 2)) return FT_UNKNOWN;
    unsigned count = ft_u16(data + 4);
    uint32_t bytes = ft_u32(data + 14), at = ft_u32(data + 18);
    if (count == 0 || count > 256 || data[9] || bytes == 0 || at < 6 + 16 * count || at > size) return FT_UNKNOWN;
    return data[2] == 1 ? FT_ICO : FT_CUR;
}

/* MPEG audio and AAC frames: sync bits, then a layer, bit rate and sampling rate that exist. */
static int ft_frames(const uint8_t *data, size_t size)
{
    if (size < 4 || data[0] != 0xff || (data[1] & 0xe0) != 0xe0) return FT_UNKNOWN;
    if ((data[1] & 0xf6) == 0xf0) return FT_AAC;
    if ((data[1] & 0x18) == 0x08 || (data[1] & 0x06) == 0 || (data[2] & 0xf0) == 0xf0 || (data[2] & 0x0c) == 0x0c)
        return FT_UNKNOWN;
    return FT_MP3;
}

/* Old tar without "ustar": the header checksum is right (POSIX: the field itself counts as spaces). */
static int ft_old_tar(const uint8_t *data, size_t size)
{
    unsigned sum = 0, want = 0;
    if (size < 512 || data[0] == 0) return FT_UNKNOWN;
    for (int i = 148; i < 156; i++)
        if (data[i] >= '0' && data[i] <= '7') want = want * 8 + (data[i] - '0');
        else if (data[i] != ' ' && data[i] != 0) return FT_UNKNOWN;
    if (want == 0) return FT_UNKNOWN;
    for (int i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? ' ' : data[i];
    return sum == want ? FT_TAR : FT_UNKNOWN;
}

/* The first entry of a partition table (at 446): a flag, a kind, and a beginning that is not the table itself. */
static int ft_partition(const uint8_t *data)
{
    return (data[446] == 0 || data[446] == 0x80) && data[450] && ft_u32(data + 454) && ft_u32(data + 458);
}

/* Disk images: by structures far from the start. `iso` may also be a hybrid with a boot sector.
 * Last a zip that begins with something else: by its end, when that has no comment. */
static int ft_image(const uint8_t *data, size_t size)
{
    if (FT_AT(0x8001, "CD001") || FT_AT(0x8801, "CD001") || FT_AT(0x9001, "CD001")) return FT_ISO;
    if (FT_AT(0x8001, "BEA01") || FT_AT(0x8801, "NSR0")) return FT_UDF;
    if (size >= 512 && ft_at(data, size, size - 512, "conectix", 8)) return FT_VHD;
    if (size >= 512 && ft_at(data, size, size - 512, "koly", 4)) return FT_DMG;
    if (size >= 1024 && data[510] == 0x55 && data[511] == 0xaa
        && (data[0] == 0xeb || data[0] == 0xe9 || data[0] == 0x33 || ft_partition(data)))
        return FT_DISK;
    return size >= 22 && ft_at(data, size, size - 22, "PK\5\6", 4) && ft_u16(data + size - 12) ? FT_ZIP : FT_UNKNOWN;
}

/* Old .lzma with a dictionary of any size: usual properties, a size that is unknown or below a terabyte, and the zero
 * that its range coder begins with. */
static int ft_lzma(const uint8_t *data, size_t size)
{
    static const uint8_t UNKNOWN_SIZE[8] = { 255, 255, 255, 255, 255, 255, 255, 255 };
    if (size < 14 || data[0] != 0x5d || data[1] || data[4] > 0x20 || data[13]) return FT_UNKNOWN;
    if (memcmp(data + 5, UNKNOWN_SIZE, 8) == 0) return FT_LZMA;
    return data[10] == 0 && data[11] == 0 && data[12] == 0 ? FT_LZMA : FT_UNKNOWN;
}

/* MacBinary II and III: a name that fits, zeros where they must be, and a known version. */
static int ft_macbinary(const uint8_t *data, size_t size)
{
    if (size < 128 || data[0] || data[1] == 0 || data[1] > 63 || data[74] || data[82]) return FT_UNKNOWN;
    return (data[122] == 129 || data[122] == 130) && data[123] == 129 ? FT_MACBINARY : FT_UNKNOWN;
}

/* PDF readers accept the header anywhere in the first kilobyte. */
static int ft_pdf(const uint8_t *data, size_t size)
{
    const uint8_t *at = data, *end = data + (size > 1024 ? 1024 : size);
    while (at < end && (at = memchr(at, '%', (size_t)(end - at))) != NULL) {
        if ((size_t)(end - at) >= 5 && memcmp(at, "%PDF-", 5) == 0) return FT_PDF;
        at++;
    }
    return FT_UNKNOWN;
}

/* DER: a SEQUENCE that begins with the object identifier of PKCS #7 (1.2.840.113549.1.7) or an RSA key's PKCS #12. */
static int ft_der(const uint8_t *data, size_t size)
{
    return data[0] == 0x30 && FT_FIND(24, "\x2a\x86\x48\x86\xf7\x0d\x01\x07") ? FT_DER : FT_UNKNOWN;
}

static int ft_by_family(const uint8_t *data, size_t size)
{
    switch (data[0]) {
    case 'M': return data[1] == 'Z' && size >= 64 ? FT_PE : FT_UNKNOWN;
    case 'Z': return data[1] == 'M' && size >= 64 ? FT_PE : FT_UNKNOWN;
    case 'P':
        if (FT_AT(0, "PK\3\4") || FT_AT(0, "PK\5\6")) return ft_zip(data, size);
        return FT_AT(0, "PK\7\x08PK\3\4") || FT_AT(0, "PK00PK\3\4") ? FT_ZIP : FT_UNKNOWN;
    case 0xd0: return FT_AT(0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") ? ft_cfb(data, size) : FT_UNKNOWN;
    case 'R': return FT_AT(0, "RIFF") ? ft_riff(data, size) : FT_UNKNOWN;
    case 'F': return FT_AT(0, "FORM") && FT_AT(8, "AIF") ? FT_AIFF : FT_UNKNOWN;
    case 0xca: return FT_AT(0, "\xca\xfe\xba\xbe") ? ft_cafebabe(data, size) : FT_UNKNOWN;
    case 'B': return data[1] == 'M' ? ft_bitmap(data, size) : FT_UNKNOWN;
    case 0: {
        int type = ft_icon(data, size);
        return type || data[1] ? type : ft_iso_media(data, size);
    }
    case 1: return FT_AT(0, "\1\0\0\0") && FT_AT(40, " EMF") ? FT_EMF : FT_UNKNOWN;
    default: return FT_UNKNOWN;
    }
}

/* The type of (data, size): FT_UNKNOWN for plain text and for what is not known. Never reads outside, no limit
 * on size; cost does not depend on size except for zip (its names) and a tail check. */
static int ft_identify(const uint8_t *data, size_t size)
{
    if (size < 4) return FT_UNKNOWN;
    int type = ft_by_family(data, size);
    if (!type) type = ft_by_magic(data, size);
    if (type == FT_DICOM && (data[0] > 0x20 && data[0] < 0x7f)) type = FT_UNKNOWN;
    if (type == FT_BZIP2 && !(data[3] >= '1' && data[3] <= '9')) type = FT_UNKNOWN;
    if (type) return type;
    type = data[0] >= 0xef ? ft_marked_text(data, size) : ft_text(data, size);
    if (!type) type = ft_frames(data, size);
    if (!type) type = ft_pdf(data, size);
    if (!type) type = ft_image(data, size);
    if (!type) type = ft_old_tar(data, size);
    if (!type) type = ft_lzma(data, size);
    if (!type) type = ft_macbinary(data, size);
    return type ? type : ft_der(data, size);
}
#endif
