/* A look inside containers that are documents: names of zip entries, stream names of compound files.
 *
 * Also the bounded reads that filetype.h shares. Nothing is decompressed; every offset is checked before it is used. */
#ifndef MXWARD_FILETYPE_INSIDE_H
#define MXWARD_FILETYPE_INSIDE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "filetype_table.h"

static inline uint16_t ft_u16(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }
static inline uint32_t ft_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline int ft_at(const uint8_t *data, size_t size, size_t offset, const char *bytes, size_t n)
{
    return offset <= size && n <= size - offset && memcmp(data + offset, bytes, n) == 0;
}
#define FT_AT(offset, bytes) ft_at(data, size, (offset), (bytes), sizeof(bytes) - 1)

/* Find `needle` in the first `limit` bytes. */
static int ft_find(const uint8_t *data, size_t size, size_t limit, const char *needle, size_t n)
{
    if (size < limit) limit = size;
    return limit >= n && memmem(data, limit, needle, n) != NULL;
}
#define FT_FIND(limit, needle) ft_find(data, size, (limit), (needle), sizeof(needle) - 1)

/* ---- zip (APPNOTE): names of the central directory, or of the local headers when it is missing ---- */
enum { FT_ZIP_ENTRIES = 4096 };  /* entries looked at; a document's telling names come within the first dozens */

typedef struct { int word, xl, ppt, visio, vba, xlsb, types, manifest, android, xpi, msix; } ft_zip_names;

#define FT_PREFIX(text) (n >= sizeof(text) - 1 && memcmp(name, text, sizeof(text) - 1) == 0)
#define FT_SUFFIX(text) (n >= sizeof(text) - 1 && memcmp(name + n - (sizeof(text) - 1), text, sizeof(text) - 1) == 0)

static void ft_zip_name(const uint8_t *name, size_t n, ft_zip_names *seen)
{
    if (FT_PREFIX("word/")) seen->word = 1;
    else if (FT_PREFIX("xl/")) seen->xl = 1;
    else if (FT_PREFIX("ppt/")) seen->ppt = 1;
    else if (FT_PREFIX("visio/")) seen->visio = 1;
    else if (FT_PREFIX("[Content_Types].xml")) seen->types = 1;
    else if (FT_PREFIX("META-INF/MANIFEST.MF")) seen->manifest = 1;
    else if (FT_PREFIX("META-INF/mozilla.rsa")) seen->xpi = 1;
    else if (FT_PREFIX("AndroidManifest.xml")) seen->android = 1;
    else if (FT_PREFIX("AppxManifest.xml")) seen->msix = 1;
    if (FT_SUFFIX("vbaProject.bin")) seen->vba = 1;
    if (FT_SUFFIX("workbook.bin")) seen->xlsb = 1;
}

/* Offset of the end-of-central-directory record, or size when there is none in the last 64 KB. */
static size_t ft_zip_eocd(const uint8_t *data, size_t size)
{
    size_t last = size < 22 ? 0 : size - 22, floor = size > 65557 ? size - 65557 : 0;
    if (size < 22) return size;
    for (size_t at = last + 1; at-- > floor;)
        if (data[at] == 'P' && memcmp(data + at, "PK\5\6", 4) == 0) return at;
    return size;
}

static void ft_zip_scan(const uint8_t *data, size_t size, ft_zip_names *seen)
{
    size_t eocd = ft_zip_eocd(data, size), at = eocd < size ? ft_u32(data + eocd + 16) : size;
    int entries = 0;
    /* bound: each step needs 46 bytes left and moves forward by at least 46 */
    while (at < size && size - at >= 46 && memcmp(data + at, "PK\1\2", 4) == 0 && entries++ < FT_ZIP_ENTRIES) {
        size_t n = ft_u16(data + at + 28), skip = 46 + n + ft_u16(data + at + 30) + ft_u16(data + at + 32);
        if (n > size - at - 46) return;
        ft_zip_name(data + at + 46, n, seen);
        if (skip > size - at) return;
        at += skip;
    }
    if (entries) return;
    for (at = 0; at < size && size - at >= 30 && memcmp(data + at, "PK\3\4", 4) == 0 && entries++ < FT_ZIP_ENTRIES;) {
        size_t n = ft_u16(data + at + 26), skip = 30 + n + ft_u16(data + at + 28) + (size_t)ft_u32(data + at + 18);
        if (n > size - at - 30) return;
        ft_zip_name(data + at + 30, n, seen);
        if (skip > size - at) return;
        at += skip;
    }
}

/* OpenDocument and EPUB: the first entry is an uncompressed "mimetype". */
static int ft_zip_mimetype(const uint8_t *data, size_t size)
{
    if (!FT_AT(30, "mimetypeapplication/")) return FT_UNKNOWN;
    if (FT_AT(38, "application/epub+zip")) return FT_EPUB;
    if (!FT_AT(38, "application/vnd.oasis.opendocument.")) return FT_UNKNOWN;
    if (FT_AT(73, "text")) return FT_ODT;
    if (FT_AT(73, "spreadsheet")) return FT_ODS;
    if (FT_AT(73, "presentation")) return FT_ODP;
    return FT_ODF;
}

static int ft_zip(const uint8_t *data, size_t size)
{
    ft_zip_names seen = { 0 };
    int type = ft_zip_mimetype(data, size);
    if (type) return type;
    ft_zip_scan(data, size, &seen);
    if (seen.word) return seen.vba ? FT_DOCM : FT_DOCX;
    if (seen.xl) return seen.xlsb ? FT_XLSB : seen.vba ? FT_XLSM : FT_XLSX;
    if (seen.ppt) return seen.vba ? FT_PPTM : FT_PPTX;
    if (seen.visio) return FT_VSDX;
    if (seen.msix) return FT_MSIX;
    if (seen.android) return FT_APK;
    if (seen.xpi) return FT_XPI;
    if (seen.types) return FT_OOXML;
    return seen.manifest ? FT_JAR : FT_ZIP;
}

/* ---- compound files (MS-CFB): stream names of the directory ---- */
enum { FT_CFB_SECTORS = 256 };  /* directory sectors followed: 1,024 entries at 512 bytes */

static int ft_cfb_entry(const uint8_t *entry)
{
    /* name: UTF-16LE, at most 31 units; type 1 storage, 2 stream, 5 root */
    static const struct { const char *name; uint8_t type; } NAMES[] = {
        { "WordDocument", FT_DOC }, { "Workbook", FT_XLS }, { "Book", FT_XLS },
        { "PowerPoint Document", FT_PPT }, { "VisioDocument", FT_VSD }, { "Quill", FT_PUB },
        { "EncryptedPackage", FT_OLE_ENCRYPTED }, { "__properties_version1.0", FT_MSG },
    };
    static const uint8_t MSI[16] = { 0x84, 0x10, 0x0c, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46 };
    if (entry[66] == 5 && memcmp(entry + 81, MSI + 1, 15) == 0 && (entry[80] & 0xf8) == 0x80) return FT_MSI;
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        size_t n = strlen(NAMES[i].name), k = 0;
        if (ft_u16(entry + 64) != 2 * (n + 1)) continue;
        while (k < n && entry[2 * k] == (uint8_t)NAMES[i].name[k] && entry[2 * k + 1] == 0) k++;
        if (k == n) return NAMES[i].type;
    }
    return FT_UNKNOWN;
}

static int ft_cfb(const uint8_t *data, size_t size)
{
    int found = FT_OLE;
    if (size < 512) return FT_OLE;
    unsigned shift = ft_u16(data + 30);
    if (shift != 9 && shift != 12) return FT_OLE;
    uint64_t sector = ft_u32(data + 48), step = 1u << shift;
    /* bound: FT_CFB_SECTORS rounds, so a cycle in the sector chain ends too */
    for (int round = 0; round < FT_CFB_SECTORS && sector < 0xfffffffa; round++) {
        uint64_t at = (sector + 1) << shift;
        if (at + step > size) break;
        for (uint64_t e = 0; e < step; e += 128) {
            int type = ft_cfb_entry(data + at + e);
            if (type == FT_OLE_ENCRYPTED) return type;  /* wins over anything beside it */
            if (type && (found == FT_OLE || type == FT_DOC || type == FT_MSG)) found = type;
        }
        uint64_t per = step / 4, fat = sector / per;  /* only the 109 FAT sectors of the header are used */
        if (fat >= 109) break;
        uint64_t table = ((uint64_t)ft_u32(data + 76 + 4 * fat) + 1) << shift, cell = table + 4 * (sector % per);
        if (cell + 4 > size) break;
        sector = ft_u32(data + cell);
    }
    return found;
}
#endif
