"""Countries: codes of RvIG table 34 (Landen) to ISO 3166-1 alpha-2.

The table below is our own selection: countries whose code and whose ISO code are beyond doubt.  It has no former
countries (Joegoslavië, Tsjechoslowakije, Sovjetunie, Nederlandse Antillen), which have no ISO code of today, no areas
that are not countries, and no codes that we could not confirm.  A code that it does not have fails, so that nobody is
moved to another country by a guess; give those a code table.
"""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from casemodel import Place
from mappings.steps.step import Step, StepResult, fails_where_null, no_params

_TABLE: Final = """
5001 CA 5002 FR 5003 CH 5005 MW 5006 CU 5007 SR 5008 TN 5009 AT 5010 BE 5011 BW 5012 IR 5013 NZ 5014 ZA 5015 DK 5017 HU
5018 SA 5019 LR 5020 ET 5021 CL 5022 MA 5023 TG 5024 GH 5025 LA 5026 AO 5027 PH 5028 ZM 5029 ML 5030 CI 5032 MC 5033 CO
5034 AL 5035 CM 5037 SG 5038 PY 5039 SE 5040 CY 5043 IQ 5044 MU 5045 VA 5049 SI 5051 HR 5053 RU 5095 AW 5107 CW 5110 SX
6001 BI 6002 FI 6003 GR 6004 GT 6005 NG 6006 LY 6007 IE 6008 BR 6009 RW 6010 VE 6011 IS 6012 LI 6013 SO 6014 US 6015 BO
6016 AU 6017 JM 6018 LU 6019 TD 6020 MR 6022 CN 6023 AF 6024 ID 6025 GY 6027 NO 6028 SM 6029 DE 6030 NL 6031 KH 6032 FJ
6033 BS 6034 IL 6035 NP 6036 KR 6037 ES 6038 UA 6039 GB 6040 NE 6041 HT 6042 JO 6043 TR 6044 TT 6047 DZ 6048 GA 6049 KP
6050 UZ 6051 SL 6057 TJ 6063 TM 6064 GE 6065 BA 6066 CZ 6067 SK
7001 UG 7002 KE 7003 MT 7004 BB 7005 AD 7006 MX 7007 CR 7008 GM 7009 SY 7014 EG 7015 AR 7016 LS 7017 HN 7018 NI 7020 PK
7021 SN 7024 BG 7026 MY 7027 DO 7028 PL 7031 TZ 7032 SV 7033 LK 7034 SD 7035 JP 7037 PA 7038 UY 7039 EC 7040 GN 7041 MV
7042 TH 7043 LB 7044 IT 7045 KW 7046 IN 7047 RO 7049 PE 7050 PT 7051 OM 7052 MN 7054 AE 7064 LV 7065 EE 7066 LT
"""
_WORDS: Final = _TABLE.split()
ISO_OF_RVIG: Final[dict[str, str]] = dict(zip(_WORDS[::2], _WORDS[1::2], strict=True))
"""ISO 3166-1 alpha-2 by the code of table 34."""


def _country(text: pl.Expr, params: Any, place: Place | None) -> StepResult:
    no_params("country_rvig", params, place)
    made = text.replace_strict(list(ISO_OF_RVIG), list(ISO_OF_RVIG.values()), default=None, return_dtype=pl.String)
    return fails_where_null(text, made)


STEPS: Final = (
    Step(
        "country_rvig",
        f"Turns the code of a country in RvIG table 34 into ISO 3166-1 alpha-2, for {len(ISO_OF_RVIG)} countries of"
        " today; fails for any other code.",
        "country_rvig",
        (("6030", "NL"), ("5010", "BE"), ("0000", None), ("6045", None)),
        _country,
        repairs=True,
    ),
)
