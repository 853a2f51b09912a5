/* The true type of content by its bytes: a table of magic numbers, then containers that need a look inside.
 *
 * Every function takes (data, size) and reads only inside; nothing is allocated, nothing is kept. What a type
 * means is not here (core/detect/filetype.py). Formats: the vendors' own descriptions, RFC 4155, APPNOTE 6.3.10,
 * MS-CFB, ISO 9660. Compared in tests against samples and against libmagic. */
#ifndef MXWARD_FILETYPE_H
#define MXWARD_FILETYPE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* One row a type: the C name and what callers see. Order is free; FT_UNKNOWN must be first. */
#define FT_TYPES(X) \
    X(UNKNOWN, "") \
    X(PE, "application/x-dosexec") \
    X(ELF, "application/x-executable") \
    X(MACHO, "application/x-mach-binary") \
    X(CLASS, "application/java-vm") \
    X(DEX, "application/vnd.android.dex") \
    X(WASM, "application/wasm") \
    X(LNK, "application/x-ms-shortcut") \
    X(OLE, "application/x-ole-storage") \
    X(DOC, "application/msword") \
    X(XLS, "application/vnd.ms-excel") \
    X(PPT, "application/vnd.ms-powerpoint") \
    X(MSG, "application/vnd.ms-outlook") \
    X(MSI, "application/x-msi") \
    X(VSD, "application/vnd.visio") \
    X(PUB, "application/x-mspublisher") \
    X(OLE_ENCRYPTED, "application/encrypted") \
    X(ONE, "application/onenote") \
    X(ZIP, "application/zip") \
    X(DOCX, "application/vnd.openxmlformats-officedocument.wordprocessingml.document") \
    X(DOCM, "application/vnd.ms-word.document.macroenabled.12") \
    X(XLSX, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet") \
    X(XLSM, "application/vnd.ms-excel.sheet.macroenabled.12") \
    X(XLSB, "application/vnd.ms-excel.sheet.binary.macroenabled.12") \
    X(PPTX, "application/vnd.openxmlformats-officedocument.presentationml.presentation") \
    X(PPTM, "application/vnd.ms-powerpoint.presentation.macroenabled.12") \
    X(VSDX, "application/vnd.ms-visio.drawing.main+xml") \
    X(OOXML, "application/vnd.openxmlformats-officedocument") \
    X(ODT, "application/vnd.oasis.opendocument.text") \
    X(ODS, "application/vnd.oasis.opendocument.spreadsheet") \
    X(ODP, "application/vnd.oasis.opendocument.presentation") \
    X(ODF, "application/vnd.oasis.opendocument") \
    X(EPUB, "application/epub+zip") \
    X(JAR, "application/java-archive") \
    X(APK, "application/vnd.android.package-archive") \
    X(XPI, "application/x-xpinstall") \
    X(MSIX, "application/vnd.ms-appx") \
    X(RAR, "application/vnd.rar") \
    X(SEVENZIP, "application/x-7z-compressed") \
    X(GZIP, "application/gzip") \
    X(BZIP2, "application/x-bzip2") \
    X(XZ, "application/x-xz") \
    X(LZIP, "application/lzip") \
    X(LZMA, "application/x-lzma") \
    X(LZ4, "application/x-lz4") \
    X(ZSTD, "application/zstd") \
    X(COMPRESS, "application/x-compress") \
    X(CAB, "application/vnd.ms-cab-compressed") \
    X(ISCAB, "application/x-installshield") \
    X(ARJ, "application/x-arj") \
    X(LZH, "application/x-lzh-compressed") \
    X(ACE, "application/x-ace-compressed") \
    X(ZOO, "application/x-zoo") \
    X(TAR, "application/x-tar") \
    X(CPIO, "application/x-cpio") \
    X(AR, "application/x-archive") \
    X(DEB, "application/vnd.debian.binary-package") \
    X(RPM, "application/x-rpm") \
    X(XAR, "application/x-xar") \
    X(SZDD, "application/x-ms-compress-szdd") \
    X(ISO, "application/x-iso9660-image") \
    X(UDF, "application/x-udf-image") \
    X(VHD, "application/x-vhd") \
    X(VHDX, "application/x-vhdx") \
    X(VMDK, "application/x-vmdk") \
    X(QCOW, "application/x-qemu-disk") \
    X(DMG, "application/x-apple-diskimage") \
    X(WIM, "application/x-ms-wim") \
    X(DISK, "application/x-disk-image") \
    X(CHM, "application/vnd.ms-htmlhelp") \
    X(HLP, "application/winhlp") \
    X(TNEF, "application/vnd.ms-tnef") \
    X(PST, "application/vnd.ms-outlook-pst") \
    X(RTF, "application/rtf") \
    X(PDF, "application/pdf") \
    X(PS, "application/postscript") \
    X(SWF, "application/vnd.adobe.flash.movie") \
    X(SQLITE, "application/vnd.sqlite3") \
    X(ACCESS, "application/x-msaccess") \
    X(DICOM, "application/dicom") \
    X(PARQUET, "application/vnd.apache.parquet") \
    X(PCAP, "application/vnd.tcpdump.pcap") \
    X(EVTX, "application/x-ms-evtx") \
    X(PGP, "application/pgp-encrypted") \
    X(PEM, "application/x-pem-file") \
    X(DER, "application/pkcs7-mime") \
    X(BINHEX, "application/mac-binhex40") \
    X(APPLEDOUBLE, "multipart/appledouble") \
    X(PNG, "image/png") \
    X(JPEG, "image/jpeg") \
    X(GIF, "image/gif") \
    X(WEBP, "image/webp") \
    X(BMP, "image/bmp") \
    X(TIFF, "image/tiff") \
    X(ICO, "image/vnd.microsoft.icon") \
    X(CUR, "image/x-win-bitmap") \
    X(ANI, "application/x-navi-animation") \
    X(PSD, "image/vnd.adobe.photoshop") \
    X(JP2, "image/jp2") \
    X(JXL, "image/jxl") \
    X(HEIC, "image/heic") \
    X(AVIF, "image/avif") \
    X(EMF, "image/emf") \
    X(WMF, "image/wmf") \
    X(SVG, "image/svg+xml") \
    X(DWG, "image/vnd.dwg") \
    X(DJVU, "image/vnd.djvu") \
    X(MP3, "audio/mpeg") \
    X(AAC, "audio/aac") \
    X(M4A, "audio/x-m4a") \
    X(WAV, "audio/vnd.wave") \
    X(OGG, "application/ogg") \
    X(FLAC, "audio/flac") \
    X(AMR, "audio/amr") \
    X(MIDI, "audio/midi") \
    X(AIFF, "audio/aiff") \
    X(MP4, "video/mp4") \
    X(MOV, "video/quicktime") \
    X(AVI, "video/vnd.avi") \
    X(MKV, "video/matroska") \
    X(FLV, "video/x-flv") \
    X(MPEG, "video/mpeg") \
    X(ASF, "video/x-ms-asf") \
    X(FONT, "font/sfnt") \
    X(WOFF, "font/woff") \
    X(HTML, "text/html") \
    X(XML, "text/xml") \
    X(HTA, "application/hta") \
    X(WSF, "text/x-wsf") \
    X(SCT, "text/scriptlet") \
    X(SHELL, "text/x-shellscript") \
    X(SCRIPT, "text/x-script") \
    X(PYTHON, "text/x-script.python") \
    X(PERL, "text/x-perl") \
    X(PHP, "text/x-php") \
    X(BATCH, "text/x-msdos-batch") \
    X(ENCODED_SCRIPT, "application/x-vbe") \
    X(REG, "text/x-ms-regedit") \
    X(URL, "application/x-mswinurl") \
    X(ICS, "text/calendar") \
    X(VCF, "text/vcard") \
    X(EML, "message/rfc822") \
    X(MBOX, "application/mbox") \
    X(SLK, "text/x-sylk") \
    X(IQY, "text/x-ms-iqy") \
    X(VTT, "text/vtt") \
    X(UU, "text/x-uuencode") \
    X(YENC, "text/x-yenc") \
    X(HL7, "application/hl7-v2")

#define FT_ENUM(name, text) FT_##name,
enum ft_type { FT_TYPES(FT_ENUM) FT_COUNT };
#define FT_TEXT(name, text) text,
static const char *const FT_NAMES[FT_COUNT] = { FT_TYPES(FT_TEXT) };

/* Magic at a fixed place. `bytes` may hold NUL, so the length is given. Sorted by nothing: the index below is
 * made once from the first byte of rows with offset 0. */
typedef struct { uint16_t offset; uint8_t size; uint8_t type; const char *bytes; } ft_magic;
#define M(type, offset, bytes) { offset, sizeof(bytes) - 1, FT_##type, bytes }

static const ft_magic FT_MAGIC[] = {
    M(ELF, 0, "\x7f""ELF"), M(MACHO, 0, "\xfe\xed\xfa\xce"), M(MACHO, 0, "\xfe\xed\xfa\xcf"),
    M(MACHO, 0, "\xce\xfa\xed\xfe"), M(MACHO, 0, "\xcf\xfa\xed\xfe"), M(DEX, 0, "dex\n03"), M(WASM, 0, "\0asm"),
    M(LNK, 0, "\x4c\0\0\0\x01\x14\x02\0"),
    M(ONE, 0, "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3"),
    M(ONE, 0, "\xa1\x2f\xff\x43\xd9\xef\x76\x4c\x9e\xe2\x10\xea\x57\x22\x76\x5f"),
    M(RAR, 0, "Rar!\x1a\x07"), M(RAR, 0, "RE\x7e\x5e"), M(SEVENZIP, 0, "7z\xbc\xaf\x27\x1c"), M(GZIP, 0, "\x1f\x8b"),
    M(COMPRESS, 0, "\x1f\x9d"), M(COMPRESS, 0, "\x1f\xa0"), M(BZIP2, 0, "BZh"), M(XZ, 0, "\xfd""7zXZ\0"),
    M(LZIP, 0, "LZIP"), M(LZ4, 0, "\x04\x22\x4d\x18"), M(ZSTD, 0, "\x28\xb5\x2f\xfd"), M(CAB, 0, "MSCF\0\0\0\0"),
    M(ISCAB, 0, "ISc("), M(ACE, 7, "**ACE**"), M(ZOO, 0, "ZOO "), M(CPIO, 0, "07070"), M(CPIO, 0, "\xc7\x71"),
    M(CPIO, 0, "\x71\xc7"), M(DEB, 0, "!<arch>\ndebian"), M(AR, 0, "!<arch>\n"), M(RPM, 0, "\xed\xab\xee\xdb"),
    M(XAR, 0, "xar!\0"), M(SZDD, 0, "SZDD\x88\xf0\x27\x33"), M(SZDD, 0, "KWAJ\x88\xf0\x27\xd1"),
    M(VHD, 0, "conectix"), M(VHDX, 0, "vhdxfile"), M(VMDK, 0, "KDMV"), M(VMDK, 0, "# Disk DescriptorFile"),
    M(QCOW, 0, "QFI\xfb"), M(WIM, 0, "MSWIM\0\0\0"), M(CHM, 0, "ITSF\x03\0\0\0"), M(HLP, 0, "?_\x03\0"),
    M(TNEF, 0, "\x78\x9f\x3e\x22"), M(PST, 0, "!BDN"), M(PS, 0, "%!PS"), M(PS, 0, "\xc5\xd0\xd3\xc6"),
    M(SWF, 0, "FWS"), M(SWF, 0, "CWS"), M(SWF, 0, "ZWS"), M(SQLITE, 0, "SQLite format 3\0"),
    M(ACCESS, 0, "\0\x01\0\0Standard Jet DB\0"), M(ACCESS, 0, "\0\x01\0\0Standard ACE DB\0"), M(DICOM, 128, "DICM"),
    M(PARQUET, 0, "PAR1"), M(PCAP, 0, "\xd4\xc3\xb2\xa1"), M(PCAP, 0, "\xa1\xb2\xc3\xd4"),
    M(PCAP, 0, "\x0a\x0d\x0d\x0a"), M(EVTX, 0, "ElfFile\0"), M(PGP, 0, "-----BEGIN PGP "), M(PEM, 0, "-----BEGIN "),
    M(BINHEX, 0, "(This file must be converted with BinHex"), M(APPLEDOUBLE, 0, "\0\x05\x16\x07"),
    M(APPLEDOUBLE, 0, "\0\x05\x16\0"), M(PNG, 0, "\x89PNG\r\n\x1a\n"), M(JPEG, 0, "\xff\xd8\xff"), M(GIF, 0, "GIF87a"),
    M(GIF, 0, "GIF89a"), M(TIFF, 0, "II*\0"), M(TIFF, 0, "MM\0*"), M(TIFF, 0, "II+\0"), M(TIFF, 0, "MM\0+"),
    M(PSD, 0, "8BPS"), M(JP2, 0, "\0\0\0\x0cjP  \r\n\x87\n"), M(JP2, 0, "\xff\x4f\xff\x51"),
    M(JXL, 0, "\0\0\0\x0cJXL \r\n\x87\n"), M(JXL, 0, "\xff\x0a"), M(WMF, 0, "\xd7\xcd\xc6\x9a"), M(DWG, 0, "AC10"),
    M(DJVU, 0, "AT&TFORM"), M(MP3, 0, "ID3"), M(OGG, 0, "OggS"), M(FLAC, 0, "fLaC"), M(AMR, 0, "#!AMR"),
    M(MIDI, 0, "MThd"), M(MKV, 0, "\x1a\x45\xdf\xa3"), M(FLV, 0, "FLV\x01"), M(MPEG, 0, "\0\0\x01\xba"),
    M(MPEG, 0, "\0\0\x01\xb3"), M(ASF, 0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11"), M(FONT, 0, "\0\x01\0\0\0"),
    M(FONT, 0, "OTTO"), M(FONT, 0, "ttcf\0"), M(WOFF, 0, "wOFF"), M(WOFF, 0, "wOF2"), M(ENCODED_SCRIPT, 0, "#@~^"),
    M(TAR, 257, "ustar"), M(LZH, 2, "-lh"), M(LZH, 2, "-lz"), M(PYTHON, 0, "\xa7\x0d\x0d\x0a"),
    M(HL7, 0, "MSH|^~\\&|"), M(HL7, 0, "\x0bMSH|^~\\&|"), M(ARJ, 0, "\x60\xea"), M(LZMA, 0, "\x5d\0\0\x80\0"),
    M(LZMA, 0, "\x5d\0\0\0\x04"), M(LZMA, 0, "\x5d\0\0\0\x01"),
};
#undef M
#define FT_N_MAGIC (sizeof(FT_MAGIC) / sizeof(FT_MAGIC[0]))

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

/* A mail: at least two of the fields that mail begins with, at line starts, before the first blank line. */
static int ft_mail(const uint8_t *data, size_t size)
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
    return seen >= 3 ? FT_EML : FT_UNKNOWN;
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
    case 'F': if (ft_at(data, size, 0, "From ", 5) && ft_has(data, size, "\nreceived: ")) return FT_MBOX; break;
    case 'W':
        if (ft_at(data, size, 0, "WEBVTT", 6)) return FT_VTT;
        if (ft_at(data, size, 0, "Windows Registry Editor", 23)) return FT_REG;
        return ft_at(data, size, 0, "WEB\r\n1\r\n", 8) || ft_at(data, size, 0, "WEB\n1\n", 6) ? FT_IQY : FT_UNKNOWN;
    case 'R': if (ft_at(data, size, 0, "REGEDIT4", 8)) return FT_REG; break;
    default: break;
    }
    return ft_mail(data, size);
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

/* Disk images: by structures far from the start. `iso` may also be a hybrid with a boot sector. */
static int ft_image(const uint8_t *data, size_t size)
{
    if (FT_AT(0x8001, "CD001") || FT_AT(0x8801, "CD001") || FT_AT(0x9001, "CD001")) return FT_ISO;
    if (FT_AT(0x8001, "BEA01") || FT_AT(0x8801, "NSR0")) return FT_UDF;
    if (size >= 512 && ft_at(data, size, size - 512, "conectix", 8)) return FT_VHD;
    if (size >= 512 && ft_at(data, size, size - 512, "koly", 4)) return FT_DMG;
    if (size >= 1024 && data[510] == 0x55 && data[511] == 0xaa && (data[0] == 0xeb || data[0] == 0xe9 || data[0] == 0x33))
        return FT_DISK;
    return FT_UNKNOWN;
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
    return type ? type : ft_der(data, size);
}
#endif
