"""Names that files give to languages, as ISO 639-1 codes."""

# The languages that speech recognisers write down: ISO 639-1, then what else names the language (the codes of
# ISO 639-2, the English name).
_NAMES = """
af afr afrikaans; am amh amharic; ar ara arabic; as asm assamese; az aze azerbaijani; ba bak bashkir;
be bel belarusian; bg bul bulgarian; bn ben bengali; bo bod tib tibetan; br bre breton; bs bos bosnian;
ca cat catalan valencian; cs ces cze czech; cy cym wel welsh; da dan danish; de deu ger german; el ell gre greek;
en eng english; es spa spanish castilian; et est estonian; eu eus baq basque; fa fas per persian; fi fin finnish;
fo fao faroese; fr fra fre french; ga gle irish; gl glg galician; gu guj gujarati; ha hau hausa; he heb iw hebrew;
hi hin hindi; hr hrv croatian; ht hat haitian; hu hun hungarian; hy hye arm armenian; id ind in indonesian;
is isl ice icelandic; it ita italian; ja jpn japanese; jv jav jw javanese; ka kat geo georgian; kk kaz kazakh;
km khm khmer; kn kan kannada; ko kor korean; la lat latin; lb ltz luxembourgish; ln lin lingala; lo lao lao;
lt lit lithuanian; lv lav latvian; mg mlg malagasy; mi mri mao maori; mk mkd mac macedonian; ml mal malayalam;
mn mon mongolian; mr mar marathi; ms msa may malay; mt mlt maltese; my mya bur myanmar burmese; ne nep nepali;
nl nld dut dutch flemish; nn nno nynorsk; no nor nb nob norwegian; oc oci occitan; pa pan punjabi panjabi;
pl pol polish; ps pus pashto; pt por portuguese; ro ron rum mo romanian moldavian; ru rus russian; sa san sanskrit;
sd snd sindhi; si sin sinhala sinhalese; sk slk slo slovak; sl slv slovenian; sn sna shona; so som somali;
sq sqi alb albanian; sr srp serbian; su sun sundanese; sv swe swedish; sw swa swahili; ta tam tamil; te tel telugu;
tg tgk tajik; th tha thai; tk tuk turkmen; tl tgl fil tagalog filipino; tr tur turkish; tt tat tatar;
uk ukr ukrainian; ur urd urdu; uz uzb uzbek; vi vie vietnamese; yi yid yiddish; yo yor yoruba;
zh zho chi cmn chinese mandarin
"""
_CODES = {name: names.split()[0] for names in _NAMES.split(";") for name in names.split()}


def language_code(name: str | None) -> str | None:
    """The ISO 639-1 code of what a file calls its language; None for one that isn't known.

    >>> language_code("en-US"), language_code("German"), language_code("fra"), language_code("zxx")
    ('en', 'de', 'fr', None)
    """
    first = (name or "").strip().casefold().replace("_", "-").split("-")[0]
    return _CODES.get(first)
