"""Phones of festival's voices in other languages as IPA. Stress is a trailing 1; doubled consonants are two phones."""

from __future__ import annotations

from locutor.speech.radio_phones import IPA_BY_PHONE


def _table(line: str) -> dict[str, str]:
    """ "phone=IPA phone=IPA ..."; a phone alone stands for itself."""
    pairs = (entry.partition("=") for entry in line.split())
    return {"#": "", "pau": "", "##": "", "_": "ʔ"} | {phone: ipa or phone for phone, _, ipa in pairs}


_ITALIAN = _table(
    "i e E=ɛ a O=ɔ o u i1=ˈi e1=ˈe E1=ˈɛ a1=ˈa O1=ˈɔ o1=ˈo u1=ˈu j w p t k b d g=ɡ f s S=ʃ v z Z=ʒ ts tS=tʃ dz dZ=dʒ"
    " m n J=ɲ ng=ŋ nf=ɱ l L=ʎ r"
)
_CATALAN = _table(
    "ax=ə a a1=ˈa b d e e1=ˈe E=ɛ E1=ˈɛ f g=ɡ i i1=ˈi j J=ɲ k l L=ʎ m n o o1=ˈo O=ɔ O1=ˈɔ p r=ɾ rr=r s S=ʃ t u u1=ˈu"
    " w z Z=ʒ"
)
_CZECH = _table(
    "a a:=aː b c=ts c~=tʃ ch=x d d~=ɟ dz dz~=dʒ e=ɛ e:=ɛː f g=ɡ h=ɦ i=ɪ i:=iː j k l m n n*=ŋ n~=ɲ o o:=oː p r r~=r̝"
    " r~*=r̝ s s~=ʃ t t~=c u=ʊ u:=uː v z z~=ʒ"
)
_FINNISH = _table("a=ɑ e i o u y @=æ 7=ø &=ə p t k b d g=ɡ f T=θ s S=ʃ h v=ʋ m n N=ŋ l L=ʎ r j w D:=ð z:=z Z:=ʒ")
_FINNISH |= {phone + ":": ipa + "ː" for phone, ipa in _FINNISH.items() if ipa and not phone.endswith(":")}
_RUSSIAN = _table(
    "ii=ˈi yy=ˈɨ uu=ˈu ee=ˈe oo=ˈo aa=ˈa a=ʌ e=ɪ i=ɪ y=ɨ u=ʊ ae=ə ay=ə ur=ʊ p pp=pʲ b bb=bʲ t tt=tʲ d dd=dʲ k kk=kʲ"
    " g=ɡ gg=ɡʲ c=ts ch=tɕ f ff=fʲ v vv=vʲ s ss=sʲ z zz=zʲ sh=ʂ sch=ɕ zh=ʐ h=x hh=xʲ m mm=mʲ n nn=nʲ l=ɫ ll=lʲ r rr=rʲ"
    " j"
)
_INDIC = _table(
    "a=ə aa=a ih=ɪ iy=i uh=ʊ uw=u eh=e ee=e ay=ɛ oh=o oo=o aw=ɔ f k g=ɡ ch=tʃ T=ʈ D=ɖ N=ɳ th=t dh=d n p b m y=j r l v=ʋ"
    " L=ɭ R=ɽ s sh=ʃ j=dʒ h ksh=kʃ sri=ʃr x=x kh=k gh=ɡ td=ʈ tth=ʈ ddh=ɖ bh=b zh=ʒ @=ə w=ʋ"
)

VOICES: dict[str, tuple[str, str, dict[str, str]]] = {
    "cmu_us_slt_arctic_hts": ("en-us", "ascii", IPA_BY_PHONE),
    "kal_diphone": ("en-us", "ascii", IPA_BY_PHONE),
    "ked_diphone": ("en-us", "ascii", IPA_BY_PHONE),
    "lp_diphone": ("it", "iso-8859-1", _ITALIAN),
    "pc_diphone": ("it", "iso-8859-1", _ITALIAN),
    "upc_ca_ona_hts": ("ca", "iso-8859-1", _CATALAN),
    "czech_dita": ("cs", "iso-8859-2", _CZECH),
    "czech_krb": ("cs", "iso-8859-2", _CZECH),
    "czech_machac": ("cs", "iso-8859-2", _CZECH),
    "czech_ph": ("cs", "iso-8859-2", _CZECH),
    "hy_fi_mv_diphone": ("fi", "iso-8859-1", _FINNISH),
    "suo_fi_lj_diphone": ("fi", "iso-8859-1", _FINNISH),
    "msu_ru_nsh_clunits": ("ru", "utf-8", _RUSSIAN),
    "hindi_NSK_diphone": ("hi", "utf-8", _INDIC),
    "marathi_NSK_diphone": ("mr", "utf-8", _INDIC),
    "telugu_NSK_diphone": ("te", "utf-8", _INDIC),
}
"""Of each voice its language, the encoding its front end reads, and its phones."""
