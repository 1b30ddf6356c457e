-- Relations between cases. One that was entered on both cases is one relation: that of the later number to the earlier
-- one. A case is not related to itself (Z33). Rows left out here are accounted for by the mapping (accounts).
SELECT this.ZAAKNR1, this.ZAAKNR2, this.SOORT, this.OPM
FROM ZKN_RELATIE AS this
LEFT JOIN ZKN_RELATIE AS back ON back.ZAAKNR1 = this.ZAAKNR2 AND back.ZAAKNR2 = this.ZAAKNR1
WHERE this.ZAAKNR1 <> this.ZAAKNR2
  AND (back.ZAAKNR1 IS NULL OR this.ZAAKNR1 > this.ZAAKNR2)
