"""Well-known names that strangers put before their address, and what the owners' own domains contain."""

from __future__ import annotations

import re
from typing import Final

from mxward.pyx import literals
from mxward.pyx.literals import Literals

_TABLE: Final = """
    microsoft: microsoft
    office 365: microsoft
    office365: microsoft
    outlook: microsoft outlook
    onedrive: microsoft
    sharepoint: microsoft sharepoint
    paypal: paypal
    amazon: amazon
    netflix: netflix
    apple: apple
    icloud: apple icloud
    google: google youtube
    facebook: facebook fb meta
    instagram: instagram facebook
    linkedin: linkedin
    docusign: docusign
    dropbox: dropbox
    adobe: adobe
    wetransfer: wetransfer
    dhl: dhl
    fedex: fedex
    ups: ups
    usps: usps
    royal mail: royalmail
    evri: evri
    dpd: dpd
    hmrc: gov.uk
    gov.uk: gov.uk
    dvla: gov.uk
    nhs: nhs
    nhsmail: nhs
    hsbc: hsbc
    barclays: barclays
    lloyds bank: lloyds
    natwest: natwest
    santander: santander
    bradesco: bradesco
    itau: itau
    caixa: caixa
    livelo: livelo
    serasa: serasa
    nubank: nubank
    correios: correios
    sparkasse: sparkasse
    volksbank: volksbank
    commerzbank: commerzbank
    postbank: postbank
    bank of america: bankofamerica
    wells fargo: wellsfargo
    chase: chase
    citibank: citi
    american express: americanexpress aexp
    coinbase: coinbase
    binance: binance
    metamask: metamask
    trust wallet: trustwallet
    mcafee: mcafee
    norton: norton
    walmart: walmart
    costco: costco
    ebay: ebay
    spotify: spotify
    disney+: disney
    steam: steam
    whatsapp: whatsapp
    yahoo: yahoo
"""
BRANDS: Final[dict[str, tuple[str, ...]]] = {
    brand.strip(): tuple(domains.split())
    for brand, _, domains in (row.partition(":") for row in _TABLE.strip().splitlines())
}
"""Folded name -> strings of which one stands in every domain that may bear it."""

_NAMES: Final = Literals(literals.compile([brand.encode() for brand in BRANDS], literals.WORD))
_BRAND: Final = re.compile(r"(?<!\w)(?:" + "|".join(re.escape(brand) for brand in BRANDS) + r")(?!\w)")


def borrowed(display: str, domain: str) -> str:
    """The well-known name in a folded display name that `domain` has no claim to; "" when there is none."""
    if not _NAMES.seen(display.encode("utf-8", "replace")):
        return ""
    for found in _BRAND.finditer(display):
        if not any(own in domain for own in BRANDS[found[0]]):
            return found[0]
    return ""
