"""Keys and tokens whose own shape says what they are: issuers' prefixes, JWTs, private keys."""

import re
from collections.abc import Iterator

from agent.core.find.behind import has_any
from agent.stages import Span

# No token is shorter than this run, and each has one of these in it: most texts are done soon.
_LONG_RUN = re.compile(r"[A-Za-z0-9_.\-]{20,}")
_PARTS = (
    *("AKIA", "ASIA", "ABIA", "ACCA", "AGPA", "AIDA", "AIPA", "ANPA", "ANVA", "AROA", "AIza"),
    *("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "sk-", "_live_", "_test_", "whsec_"),
    *("glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glsoat-", "glimt-", "glagent-"),
    *("gloas-", "glffct-", "xox", "xapp-", "ya29.", "GOCSPX-", "npm_", "pypi-", "rubygems_"),
    *("hf_", "gsk_", "r8_", "sgp_", "lin_api_", "dckr_pat_", "glsa_", "sntrys_", "sntryu_"),
    *("shpat_", "shpss_", "figd_", "ntn_", "tfp_", "nvapi-", "xai-", "pplx-", "tskey-", "PMAK-"),
    *("pul-", "fio-u-", "age-secret-key-", "AGE-SECRET-KEY-", "SG.", "_v1_", "hvs.", "hvb."),
    *("hvr.", "SK", "eyJ"),
)
_PARTS_ELSEWHERE = (":AA", "whsec_", "ATATT3x")  # with signs in them that are in no run
_ISSUED = re.compile(
    r"""
    (?: (?<![A-Za-z0-9]) | (?<=\\[nrt]) )                       # also behind "\n" of a JSON text
    (?:
      (?: AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AIPA|ANPA|ANVA|AROA ) [A-Z0-9]{16} (?![A-Za-z0-9])  # AWS
    | gh[pousr]_ [A-Za-z0-9]{30,255} | github_pat_ [A-Za-z0-9_]{22,255}
    | gl(?:pat|dt|rt|cbt|ptt|ft|soat|imt|agent|oas|ffct) - [A-Za-z0-9_\-]{20,255}
    | sk-(?:[a-z0-9]{2,8}-)? [A-Za-z0-9_\-]{20,255}             # OpenAI, Anthropic and others
    | (?:sk|rk|pk)_(?:live|test)_ [A-Za-z0-9]{10,255} | whsec_ [A-Za-z0-9+/=]{20,255}
    | xox[abeoprs]- [A-Za-z0-9\-]{10,255} | xapp-[0-9]- [A-Za-z0-9\-]{20,255}
    | AIza [A-Za-z0-9_\-]{35} | ya29\. [A-Za-z0-9_\-.]{20,2048} | GOCSPX- [A-Za-z0-9_\-]{20,40}
    | npm_ [A-Za-z0-9]{36} | pypi-AgE [A-Za-z0-9_\-]{50,512} | rubygems_ [0-9a-f]{48}
    | (?:hf|gsk|r8|sgp|lin_api|dckr_pat|glsa|sntrys|sntryu|shpat|shpss|figd|ntn|tfp)_
        [A-Za-z0-9_\-]{20,512}
    | (?:nvapi|xai|pplx|tskey-auth|tskey-api|PMAK|pul|fio-u|age-secret-key) - [A-Za-z0-9\-_]{20,255}
    | SG\. [A-Za-z0-9_\-]{16,32} \. [A-Za-z0-9_\-]{16,64}
    | do[por]_v1_ [0-9a-f]{64} | hv[sbr]\. [A-Za-z0-9_\-]{20,255} | ATATT3x [A-Za-z0-9_\-=]{20,512}
    | AGE-SECRET-KEY-1 [A-Z0-9]{58} | SK [0-9a-f]{32} (?![0-9A-Za-z])
    | [0-9]{8,10} : AA [A-Za-z0-9_\-]{33} (?![A-Za-z0-9_\-])    # a Telegram bot
    | eyJ [A-Za-z0-9_\-]{8,4096} \. [A-Za-z0-9_\-]{8,8192} (?: \. [A-Za-z0-9_\-]{0,8192} ){0,3}
    )
    """,
    re.VERBOSE,
)
_HOOK = re.compile(r"hooks\.slack\.com/services/([A-Za-z0-9/]{20,100})")
_LOGIN = re.compile(r"://([^\s/:@\"'<>]{0,128}:[^\s/@\"'<>]{1,256})@")
_BEGIN = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(r"-----END (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY(?: BLOCK)?-----")
# A key cut short: lines of base64, also with "\n" written out.
_BODY = re.compile(r"(?:(?:\s|\\[nr]){0,4}[A-Za-z0-9+/=]{16,128})+")


def find_credentials(plain: str) -> Iterator[Span]:
    """Find tokens by their issuer's prefix, private keys, and logins written into URLs."""
    if "://" in plain:
        for match in _LOGIN.finditer(plain):
            yield Span(*match.span(1), "SECRET", 0.9, "login in a URL")
        for match in _HOOK.finditer(plain):
            yield Span(*match.span(1), "SECRET", 1.0, "address of a hook")
    runs = " ".join(_LONG_RUN.findall(plain))
    if runs and (has_any(runs, _PARTS) or has_any(plain, _PARTS_ELSEWHERE)):
        for match in _ISSUED.finditer(plain):
            yield Span(*match.span(), "SECRET", 1.0, "issuer's prefix")


def find_private_keys(plain: str) -> Iterator[Span]:
    """Find private keys from their BEGIN to their END line, or to where they are cut."""
    if "-----BEGIN" not in plain:
        return
    ends = [match.end() for match in _END.finditer(plain)]
    done = passed = 0
    for match in _BEGIN.finditer(plain):
        if match.start() < done:
            continue
        while passed < len(ends) and ends[passed] <= match.end():
            passed += 1
        body = _BODY.match(plain, match.end())
        cut = body.end() if body else match.end()
        done = ends[passed] if passed < len(ends) else cut
        yield Span(match.start(), done, "SECRET", 1.0, "private key")
