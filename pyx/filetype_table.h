/* The types that filetype.h can tell, and the magic numbers that stand at a fixed place. Data only. */
#ifndef MXWARD_FILETYPE_TABLE_H
#define MXWARD_FILETYPE_TABLE_H

#include <stdint.h>

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
    X(SIS, "application/vnd.symbian.install") \
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
    X(MACBINARY, "application/x-macbinary") \
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
    M(TAR, 257, "ustar"), M(SIS, 8, "\x19\x04\0\x10"), M(LZH, 2, "-lh"), M(LZH, 2, "-lz"), M(PYTHON, 0, "\xa7\x0d\x0d\x0a"),
    M(HL7, 0, "MSH|^~\\&|"), M(HL7, 0, "\x0bMSH|^~\\&|"), M(ARJ, 0, "\x60\xea"), M(LZMA, 0, "\x5d\0\0\x80\0"),
    M(LZMA, 0, "\x5d\0\0\0\x04"), M(LZMA, 0, "\x5d\0\0\0\x01"),
};
#undef M
#define FT_N_MAGIC (sizeof(FT_MAGIC) / sizeof(FT_MAGIC[0]))
#endif
