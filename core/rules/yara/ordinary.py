"""A few ordinary mails: rules that these make candidates are kept together, as nearly every mail will."""

from __future__ import annotations

from typing import Final

_FIELDS: Final = (
    b"Return-Path: <news@shop.example>\r\nReceived: from mail.shop.example (mail.shop.example [192.0.2.7])\r\n"
    b"\tby mx.trust.example (Postfix) with ESMTPS id 4F1A2B3C4D; Mon, 6 Jan 2025 09:14:51 +0000 (GMT)\r\n"
    b"Received: (qmail 12345 invoked by uid 500); 6 Jan 2025 09:14:50 -0000\r\n"
    b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=shop.example; s=k1;\r\n"
    b"\tbh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=dGhpcyBpcyBub3QgYSBzaWduYXR1cmU=\r\n"
    b'Date: Mon, 06 Jan 2025 09:14:49 +0000\r\nFrom: "The Shop" <news@shop.example>\r\nTo: anna@trust.example\r\n'
    b"Subject: Re: Your order and the minutes of the meeting\r\nMessage-ID: <20250106091449.1@shop.example>\r\n"
    b"X-Mailer: Microsoft Outlook 16.0\r\nUser-Agent: Mozilla Thunderbird\r\nX-Priority: 3\r\nMIME-Version: 1.0\r\n"
    b"List-Unsubscribe: <https://shop.example/u?id=1>, <mailto:leave@shop.example>\r\nPrecedence: bulk\r\n"
)
_PROSE: Final = (
    b"Hello Anna,\r\n\r\nthank you for your message of last week. I have attached the document with the password that "
    b"you asked for; please open it, enable the content and send me your username when you are done. The server was "
    b"down on Monday, so the system administrator had to restart Windows. Click here to download the update: "
    b"http://www.shop.example/download/index.php?id=123&user=anna or https://shop.example/~bob/file.html\r\n\r\n"
    b"> On Friday, Bob wrote:\r\n> look at the bank account and the invoice number 2025-001 before the call.\r\n"
    b"> % echo hello > /tmp/test.txt; cat /etc/passwd | grep root; #include <stdio.h> int main(void) { return 0; }\r\n"
    b"--\r\nBob Smith, Example Ltd, 1 High Street, London. Tel. +44 20 7946 0000\r\n"
    b"_______________________________________________\r\nlist mailing list\r\n"
)
_HTML: Final = (
    b'<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/'
    b'xhtml1-transitional.dtd">\r\n<html xmlns="http://www.w3.org/1999/xhtml"><head><meta http-equiv="Content-Type" '
    b'content="text/html; charset=utf-8"><title>Your order</title><style type="text/css">p { margin: 0px; '
    b'font-family: Arial, sans-serif; color: #333333; }</style></head><body bgcolor="#FFFFFF"><table width="100%" '
    b'border="0" cellspacing="0" cellpadding="0"><tr><td align="center"><a href="https://shop.example/" '
    b'target="_blank"><img src="https://shop.example/logo.png" alt="Shop" width="120"></a><p>Thank you&nbsp;for your '
    b'order.<br>Your password has been changed.</p></td></tr></table><script language="JavaScript">'
    b'document.write("x"); window.open("http://shop.example/");</script></body></html>\r\n'
)
ORDINARY: Final = (
    _FIELDS + b'Content-Type: text/plain; charset="us-ascii"\r\nContent-Transfer-Encoding: 7bit\r\n\r\n' + _PROSE,
    _FIELDS + b'Content-Type: multipart/alternative; boundary="----=_NextPart_000_0001"\r\n\r\nThis is a multi-part '
    b"message in MIME format.\r\n\r\n------=_NextPart_000_0001\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + _PROSE + b"\r\n------=_NextPart_000_0001\r\n"
    b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + _HTML
    + b"\r\n------=_NextPart_000_0001--\r\n",
    _PROSE,
    _HTML,
)  # fmt: skip
