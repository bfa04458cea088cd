"""Language codes of media files (ISO 639-2, three letters) as BCP 47 tags."""

from __future__ import annotations

import re

# RFC 5646 2.2.1: where a two-letter code exists, it is the tag. Both the terminological and the bibliographic codes.
_SHORT = dict(
    pair.split(":")
    for pair in (
        "afr:af alb:sq sqi:sq amh:am ara:ar arm:hy hye:hy aze:az baq:eu eus:eu bel:be ben:bn bos:bs bre:br bul:bg "
        "bur:my mya:my cat:ca chi:zh zho:zh hrv:hr cze:cs ces:cs dan:da dut:nl nld:nl eng:en epo:eo est:et fao:fo "
        "fin:fi fre:fr fra:fr fry:fy glg:gl geo:ka kat:ka ger:de deu:de gre:el ell:el guj:gu hau:ha heb:he hin:hi "
        "hun:hu ice:is isl:is ibo:ig ind:id gle:ga ita:it jpn:ja jav:jv kan:kn kaz:kk khm:km kin:rw kir:ky kor:ko "
        "kur:ku lao:lo lat:la lav:lv lit:lt ltz:lb mac:mk mkd:mk may:ms msa:ms mal:ml mlt:mt mao:mi mri:mi mar:mr "
        "mon:mn nep:ne nor:no nob:nb nno:nn oci:oc pan:pa per:fa fas:fa pol:pl por:pt pus:ps que:qu rum:ro ron:ro "
        "rus:ru gla:gd srp:sr sin:si slo:sk slk:sk slv:sl som:so spa:es swa:sw swe:sv tam:ta tel:te tgl:tl tha:th "
        "tib:bo bod:bo tur:tr ukr:uk urd:ur uzb:uz vie:vi wel:cy cym:cy wol:wo xho:xh yid:yi yor:yo zul:zu"
    ).split()
)
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|\d{3}))?")


def bcp47(code: str) -> str:
    """The tag for what a file states as its language; "und" for nothing, nonsense and "no language"."""
    code = code.strip().replace("_", "-")
    if not _TAG.fullmatch(code) or code.lower() in ("und", "mis", "mul", "zxx", "unk"):
        return "und"
    first, *rest = code.split("-")
    first = _SHORT.get(first.lower(), first.lower())
    return "-".join([first, *(p.title() if len(p) == 4 else p.upper() for p in rest)])
