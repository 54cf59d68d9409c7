/// The application identifiers of the GS1 General Specifications, release of January 2026, as facts: one row each.
///
/// Columns: identifier or range · `fixed` (predefined length: no separator follows) or `open`, `+query` where the AI may stand in
/// the query of a Digital Link · components · pairing · data title.
/// Component: `n` digits, `x` CSET 82, `y` CSET 39, `z` base64url; the length, after `<` the greatest length; `?` for an optional
/// component; then the checks of its content. Pairing: `key` for a primary key of a Digital Link with the permitted orders of
/// its qualifiers, `needs` for AIs of which one (joined by `+`: all) must be present, `not` for AIs that exclude it; the letter n
/// stands for any digit.
extension ApplicationIdentifierTable {
    static let data = """
        00        | fixed+query | n18:csum:gcppos2 | key | SSCC
        01        | fixed+query | n14:csum:gcppos2 | not(255 37); key(22 10 21 / 235) | GTIN
        02        | fixed+query | n14:csum:gcppos2 | not(01 03); needs(37) | CONTENT
        03        | fixed       | n14:csum:gcppos2 | not(01 02 37) | MTO GTIN
        10        | open+query  | x<20 | needs(01 02 03 8006 8026) | BATCH/LOT
        11        | fixed+query | n6:yymmd0 | needs(01 02 03 8006 8026) | PROD DATE
        12        | fixed+query | n6:yymmd0 | needs(8020) | DUE DATE
        13        | fixed+query | n6:yymmd0 | needs(01 02 03 8006 8026) | PACK DATE
        15        | fixed+query | n6:yymmd0 | needs(01 02 03 8006 8026) | BEST BEFORE or BEST BY
        16        | fixed+query | n6:yymmd0 | needs(01 02 03 8006 8026) | SELL BY
        17        | fixed+query | n6:yymmd0 | needs(01 02 03 255 8006 8026) | USE BY or EXPIRY
        20        | fixed+query | n2 | needs(01 02 8006 8026) | VARIANT
        21        | open        | x<20 | needs(01 03 8006); not(235) | SERIAL
        22        | open        | x<20 | needs(01) | CPV
        235       | open        | x<28 | needs(01) | TPX
        240       | open+query  | x<30 | needs(01 02 8006 8026) | ADDITIONAL ID
        241       | open+query  | x<30 | needs(01 02 8006 8026) | CUST. PART No.
        242       | open+query  | n<6 | needs(01 02 8006 8026) | MTO VARIANT
        243       | open+query  | x<20 | needs(01) | PCN
        250       | open+query  | x<30 | needs(01 8006); needs(21) | SECONDARY SERIAL
        251       | open+query  | x<30 | needs(01 8006) | REF. TO SOURCE
        253       | open+query  | n13:csum:gcppos1 x<17? | key | GDTI
        254       | open        | x<20 | needs(414) | GLN EXTENSION COMPONENT
        255       | open+query  | n13:csum:gcppos1 n<12? | key; not(01 02 415 8006 8020 8026) | GCN
        30        | open+query  | n<8 | needs(01 02) | VAR. COUNT
        3100-3105 | fixed+query | n6 | needs(01 02); not(310n) | NET WEIGHT (kg)
        3110-3115 | fixed+query | n6 | needs(01 02); not(311n) | LENGTH (m)
        3120-3125 | fixed+query | n6 | needs(01 02); not(312n) | WIDTH (m)
        3130-3135 | fixed+query | n6 | needs(01 02); not(313n) | HEIGHT (m)
        3140-3145 | fixed+query | n6 | needs(01 02); not(314n) | AREA (m²)
        3150-3155 | fixed+query | n6 | needs(01 02); not(315n) | NET VOLUME (l)
        3160-3165 | fixed+query | n6 | needs(01 02); not(316n) | NET VOLUME (m³)
        3200-3205 | fixed+query | n6 | needs(01 02); not(320n) | NET WEIGHT (lb)
        3210-3215 | fixed+query | n6 | needs(01 02); not(321n) | LENGTH (in)
        3220-3225 | fixed+query | n6 | needs(01 02); not(322n) | LENGTH (ft)
        3230-3235 | fixed+query | n6 | needs(01 02); not(323n) | LENGTH (yd)
        3240-3245 | fixed+query | n6 | needs(01 02); not(324n) | WIDTH (in)
        3250-3255 | fixed+query | n6 | needs(01 02); not(325n) | WIDTH (ft)
        3260-3265 | fixed+query | n6 | needs(01 02); not(326n) | WIDTH (yd)
        3270-3275 | fixed+query | n6 | needs(01 02); not(327n) | HEIGHT (in)
        3280-3285 | fixed+query | n6 | needs(01 02); not(328n) | HEIGHT (ft)
        3290-3295 | fixed+query | n6 | needs(01 02); not(329n) | HEIGHT (yd)
        3300-3305 | fixed+query | n6 | needs(00 01); not(330n) | GROSS WEIGHT (kg)
        3310-3315 | fixed+query | n6 | needs(00 01); not(331n) | LENGTH (m), log
        3320-3325 | fixed+query | n6 | needs(00 01); not(332n) | WIDTH (m), log
        3330-3335 | fixed+query | n6 | needs(00 01); not(333n) | HEIGHT (m), log
        3340-3345 | fixed+query | n6 | needs(00 01); not(334n) | AREA (m²), log
        3350-3355 | fixed+query | n6 | needs(00 01); not(335n) | VOLUME (l), log
        3360-3365 | fixed+query | n6 | needs(00 01); not(336n) | VOLUME (m³), log
        3370-3375 | fixed+query | n6 | needs(01); not(337n) | KG PER m²
        3400-3405 | fixed+query | n6 | needs(00 01); not(340n) | GROSS WEIGHT (lb)
        3410-3415 | fixed+query | n6 | needs(00 01); not(341n) | LENGTH (in), log
        3420-3425 | fixed+query | n6 | needs(00 01); not(342n) | LENGTH (ft), log
        3430-3435 | fixed+query | n6 | needs(00 01); not(343n) | LENGTH (yd), log
        3440-3445 | fixed+query | n6 | needs(00 01); not(344n) | WIDTH (in), log
        3450-3455 | fixed+query | n6 | needs(00 01); not(345n) | WIDTH (ft), log
        3460-3465 | fixed+query | n6 | needs(00 01); not(346n) | WIDTH (yd), log
        3470-3475 | fixed+query | n6 | needs(00 01); not(347n) | HEIGHT (in), log
        3480-3485 | fixed+query | n6 | needs(00 01); not(348n) | HEIGHT (ft), log
        3490-3495 | fixed+query | n6 | needs(00 01); not(349n) | HEIGHT (yd), log
        3500-3505 | fixed+query | n6 | needs(01 02); not(350n) | AREA (in²)
        3510-3515 | fixed+query | n6 | needs(01 02); not(351n) | AREA (ft²)
        3520-3525 | fixed+query | n6 | needs(01 02); not(352n) | AREA (yd²)
        3530-3535 | fixed+query | n6 | needs(00 01); not(353n) | AREA (in²), log
        3540-3545 | fixed+query | n6 | needs(00 01); not(354n) | AREA (ft²), log
        3550-3555 | fixed+query | n6 | needs(00 01); not(355n) | AREA (yd²), log
        3560-3565 | fixed+query | n6 | needs(01 02); not(356n) | NET WEIGHT (tr oz)
        3570-3575 | fixed+query | n6 | needs(01 02); not(357n) | NET VOLUME (oz)
        3600-3605 | fixed+query | n6 | needs(01 02); not(360n) | NET VOLUME (qt (US))
        3610-3615 | fixed+query | n6 | needs(01 02); not(361n) | NET VOLUME (gal.)
        3620-3625 | fixed+query | n6 | needs(00 01); not(362n) | VOLUME (qt (US)), log
        3630-3635 | fixed+query | n6 | needs(00 01); not(363n) | VOLUME (gal (US)), log
        3640-3645 | fixed+query | n6 | needs(01 02); not(364n) | NET VOLUME (in³)
        3650-3655 | fixed+query | n6 | needs(01 02); not(365n) | NET VOLUME (ft³)
        3660-3665 | fixed+query | n6 | needs(01 02); not(366n) | NET VOLUME (yd³)
        3670-3675 | fixed+query | n6 | needs(00 01); not(367n) | VOLUME (in³), log
        3680-3685 | fixed+query | n6 | needs(00 01); not(368n) | VOLUME (ft³), log
        3690-3695 | fixed+query | n6 | needs(00 01); not(369n) | VOLUME (yd³), log
        37        | open+query  | n<8 | needs(00); needs(02 8026) | COUNT
        3900-3909 | open+query  | n<15 | needs(255 8020); not(390n 391n 394n 8111) | AMOUNT
        3910-3919 | open+query  | n3:iso4217 n<15 | needs(8020); not(391n) | AMOUNT
        3920-3929 | open+query  | n<15 | needs(01); needs(30 31nn 32nn 35nn 36nn); not(392n 393n) | PRICE
        3930-3939 | open+query  | n3:iso4217 n<15 | needs(30 31nn 32nn 35nn 36nn); not(393n) | PRICE
        3940-3943 | open+query  | n4 | needs(255); not(394n 8111) | PRCNT OFF
        3950-3955 | open+query  | n6 | needs(30 31nn 32nn 35nn 36nn); not(392n 393n 395n 8005) | PRICE/UoM
        400       | open+query  | x<30 |  | ORDER NUMBER
        401       | open+query  | x<30:gcppos1 | key | GINC
        402       | open+query  | n17:csum:gcppos1 | key | GSIN
        403       | open+query  | x<30 | needs(00) | ROUTE
        410       | fixed+query | n13:csum:gcppos1 |  | SHIP TO LOC
        411       | fixed+query | n13:csum:gcppos1 |  | BILL TO
        412       | fixed+query | n13:csum:gcppos1 |  | PURCHASE FROM
        413       | fixed+query | n13:csum:gcppos1 |  | SHIP FOR LOC
        414       | fixed+query | n13:csum:gcppos1 | key(254 / 7040) | LOC No.
        415       | fixed+query | n13:csum:gcppos1 | needs(8020); key(8020) | PAY TO
        416       | fixed+query | n13:csum:gcppos1 |  | PROD/SERV LOC
        417       | fixed+query | n13:csum:gcppos1 | key(7040) | PARTY
        420       | open+query  | x<20 | not(421) | SHIP TO POST
        421       | open+query  | n3:iso3166 x<9 | not(4307) | SHIP TO POST
        422       | open+query  | n3:iso3166 | needs(01 02 8006 8026); not(426) | ORIGIN
        423       | open+query  | n3:iso3166 n3?:iso3166 n3?:iso3166 n3?:iso3166 n3?:iso3166 \
        | needs(01 02); not(426) | COUNTRY - INITIAL PROCESS
        424       | open+query  | n3:iso3166 | needs(01 02); not(426) | COUNTRY - PROCESS
        425       | open+query  | n3:iso3166 n3?:iso3166 n3?:iso3166 n3?:iso3166 n3?:iso3166 \
        | needs(01 02); not(426) | COUNTRY - DISASSEMBLY
        426       | open+query  | n3:iso3166 | needs(01 02) | COUNTRY - FULL PROCESS
        427       | open+query  | x<3 | needs(01 02); needs(422) | ORIGIN SUBDIVISION
        4300      | open+query  | x<35:pcenc | needs(00) | SHIP TO COMP
        4301      | open+query  | x<35:pcenc | needs(00) | SHIP TO NAME
        4302      | open+query  | x<70:pcenc | needs(00) | SHIP TO ADD1
        4303      | open+query  | x<70:pcenc | needs(4302) | SHIP TO ADD2
        4304      | open+query  | x<70:pcenc | needs(00) | SHIP TO SUB
        4305      | open+query  | x<70:pcenc | needs(00) | SHIP TO LOC
        4306      | open+query  | x<70:pcenc | needs(00) | SHIP TO REG
        4307      | open+query  | x2:iso3166alpha2 | needs(00) | SHIP TO COUNTRY
        4308      | open+query  | x<30 | needs(00) | SHIP TO PHONE
        4309      | open+query  | n10:latitude n10:longitude | needs(00) | SHIP TO GEO
        4310      | open+query  | x<35:pcenc | needs(00) | RTN TO COMP
        4311      | open+query  | x<35:pcenc | needs(00) | RTN TO NAME
        4312      | open+query  | x<70:pcenc | needs(00) | RTN TO ADD1
        4313      | open+query  | x<70:pcenc | needs(4312) | RTN TO ADD2
        4314      | open+query  | x<70:pcenc | needs(00) | RTN TO SUB
        4315      | open+query  | x<70:pcenc | needs(00) | RTN TO LOC
        4316      | open+query  | x<70:pcenc | needs(00) | RTN TO REG
        4317      | open+query  | x2:iso3166alpha2 | needs(00) | RTN TO COUNTRY
        4318      | open+query  | x<20 | needs(00) | RTN TO POST
        4319      | open+query  | x<30 | needs(00) | RTN TO PHONE
        4320      | open+query  | x<35:pcenc | needs(00) | SRV DESCRIPTION
        4321      | open+query  | n1:yesno | needs(00) | DANGEROUS GOODS
        4322      | open+query  | n1:yesno | needs(00) | AUTH TO LEAVE
        4323      | open+query  | n1:yesno | needs(00) | SIG REQUIRED
        4324      | open+query  | n6:yymmd0 n4:hhmi | needs(00) | NOT BEF DEL DT
        4325      | open+query  | n6:yymmd0 n4:hhmi | needs(00) | NOT AFT DEL DT
        4326      | open+query  | n6:yymmdd | needs(00) | REL DATE
        4330      | open+query  | n6 x1?:hyphen | needs(00); not(4331) | MAX TEMP F.
        4331      | open+query  | n6 x1?:hyphen | needs(00); not(4330) | MAX TEMP C.
        4332      | open+query  | n6 x1?:hyphen | needs(00); not(4333) | MIN TEMP F.
        4333      | open+query  | n6 x1?:hyphen | needs(00); not(4332) | MIN TEMP C.
        7001      | open+query  | n13 | needs(01 02 8006 8026) | NSN
        7002      | open+query  | x<30 | needs(01 02) | MEAT CUT
        7003      | open+query  | n6:yymmdd n4:hhmi | needs(01 02) | EXPIRY TIME
        7004      | open+query  | n<4 | needs(01+10) | ACTIVE POTENCY
        7005      | open+query  | x<12 | needs(01 02) | CATCH AREA
        7006      | open+query  | n6:yymmdd | needs(01 02) | FIRST FREEZE DATE
        7007      | open+query  | n6:yymmdd n6?:yymmdd | needs(01 02) | HARVEST DATE
        7008      | open+query  | x<3 | needs(01 02) | AQUATIC SPECIES
        7009      | open+query  | x<10 | needs(01 02) | FISHING GEAR TYPE
        7010      | open+query  | x<2 | needs(01 02) | PROD METHOD
        7011      | open+query  | n6:yymmdd n4?:hhmi | needs(01 02) | TEST BY DATE
        7020      | open+query  | x<20 | needs(01 8006); needs(416) | REFURB LOT
        7021      | open+query  | x<20 | needs(01 8006) | FUNC STAT
        7022      | open+query  | x<20 | needs(7021) | REV STAT
        7023      | open+query  | x<30:gcppos1 |  | GIAI - ASSEMBLY
        7030      | open+query  | n3:iso3166999 x<27 | needs(01 02) | PROCESSOR # 0
        7031      | open+query  | n3:iso3166999 x<27 | needs(01 02) | PROCESSOR # 1
        7032      | open+query  | n3:iso3166999 x<27 | needs(01 02) | PROCESSOR # 2
        7033      | open+query  | n3:iso3166999 x<27 | needs(01 02) | PROCESSOR # 3
        7034      | open+query  | n3:iso3166999 x<27 | needs(01 02) | PROCESSOR # 4
        7035      | open+query  | n3:iso3166999 x<27 | needs(01 02) | PROCESSOR # 5
        7036      | open+query  | n3:iso3166999 x<27 | needs(01 02) | PROCESSOR # 6
        7037      | open+query  | n3:iso3166999 x<27 | needs(01 02) | PROCESSOR # 7
        7038      | open+query  | n3:iso3166999 x<27 | needs(01 02) | PROCESSOR # 8
        7039      | open+query  | n3:iso3166999 x<27 | needs(01 02) | PROCESSOR # 9
        7040      | open        | n1 x1 x1 x1:importeridx |  | UIC+EXT
        7041      | open        | x<4:packagetype | needs(00) | UFRGT UNIT TYPE
        710       | open+query  | x<20 | needs(01) | NHRN PZN
        711       | open+query  | x<20 | needs(01) | NHRN CIP
        712       | open+query  | x<20 | needs(01) | NHRN CN
        713       | open+query  | x<20 | needs(01) | NHRN DRN
        714       | open+query  | x<20 | needs(01) | NHRN AIM
        715       | open+query  | x<20 | needs(01) | NHRN NDC
        716       | open+query  | x<20 | needs(01) | NHRN AIC
        717       | open+query  | x<20 | needs(01) | NHRN SRN
        7230      | open+query  | x2 x<28 | needs(01 8004) | CERT # 1
        7231      | open+query  | x2 x<28 | needs(01 8004) | CERT # 2
        7232      | open+query  | x2 x<28 | needs(01 8004) | CERT # 3
        7233      | open+query  | x2 x<28 | needs(01 8004) | CERT # 4
        7234      | open+query  | x2 x<28 | needs(01 8004) | CERT # 5
        7235      | open+query  | x2 x<28 | needs(01 8004) | CERT # 6
        7236      | open+query  | x2 x<28 | needs(01 8004) | CERT # 7
        7237      | open+query  | x2 x<28 | needs(01 8004) | CERT # 8
        7238      | open+query  | x2 x<28 | needs(01 8004) | CERT # 9
        7239      | open+query  | x2 x<28 | needs(01 8004) | CERT # 10
        7240      | open+query  | x<20 | needs(01 8006) | PROTOCOL
        7241      | open+query  | n2:mediatype | needs(8017 8018) | AIDC MEDIA TYPE
        7242      | open+query  | x<25 | needs(8017 8018) | VCN
        7250      | open+query  | n8:yyyymmdd | needs(8018); not(7251) | DOB
        7251      | open+query  | n8:yyyymmdd n4:hhmi | needs(8018); not(7250) | DOB TIME
        7252      | open+query  | n1:iso5218 | needs(8018) | BIO SEX
        7253      | open+query  | x<40:pcenc | needs(8017 8018); not(7256 7259) | FAMILY NAME
        7254      | open+query  | x<40:pcenc | needs(8017 8018); not(7256 7259) | GIVEN NAME
        7255      | open+query  | x<10 | needs(8017 8018); not(7256 7259) | SUFFIX
        7256      | open+query  | x<90:pcenc | needs(8017 8018) | FULL NAME
        7257      | open+query  | x<70:pcenc | needs(8018) | PERSON ADDR
        7258      | open+query  | x3:posinseqslash | needs(8018+7259) | BIRTH SEQUENCE
        7259      | open+query  | x<40:pcenc | needs(8018); not(7256) | BABY
        8001      | open+query  | n4:nonzero n5:nonzero n3:nonzero n1:winding n1 | needs(01) | DIMENSIONS
        8002      | open+query  | x<20 |  | CMT No.
        8003      | open+query  | n1:zero n13:csum:gcppos1 x<16? | key | GRAI
        8004      | open+query  | x<30:gcppos1 | key(7040) | GIAI
        8005      | open+query  | n6 | needs(01 02) | PRICE PER UNIT
        8006      | open+query  | n14:csum:gcppos2 n4:pieceoftotal | not(01 37); key(22 10 21) | ITIP
        8007      | open+query  | x<34:iban | needs(415) | IBAN
        8008      | open+query  | n6:yymmdd n2:hh n2?:mi n2?:ss | needs(01 02) | PROD TIME
        8009      | open+query  | x<50 | needs(00 01) | OPTSEN
        8010      | open+query  | y<30:gcppos1 | key(8011) | CPID
        8011      | open        | n<12:nozeroprefix | needs(8010) | CPID SERIAL
        8012      | open+query  | x<20 | needs(01 8006) | VERSION
        8013      | open+query  | x<25:csumalpha:gcppos1 | key | GMN
        8014      | open        | x<25:csumalpha:gcppos1:hasnondigit | needs(01) | MUDI
        8017      | open+query  | n18:csum:gcppos1 | not(8018); key(8019) | GSRN - PROVIDER
        8018      | open+query  | n18:csum:gcppos1 | not(8017); key(8019) | GSRN - RECIPIENT
        8019      | open        | n<10 | needs(8017 8018) | SRIN
        8020      | open        | x<25 | needs(415) | REF No.
        8026      | open+query  | n14:csum:gcppos2 n4:pieceoftotal | needs(37); not(02 8006) | ITIP CONTENT
        8030      | open+query  | z<90 | needs(00 01+21 253 255 8003 8004 8006+21 8010+8011 8017 8018) | DIGSIG
        8040      | open        | n15 | needs(01+21) | IMEI
        8041      | open        | n15 | needs(01+21+8040) | IMEI2
        8042      | open        | n32 | needs(01+21+8040) | ESIM
        8043      | open        | n18 n<2? | needs(01+21+8040) | PSIM
        8110      | open+query  | x<70:couponcode |  |
        8111      | open+query  | n4 | needs(255) | POINTS
        8112      | open+query  | x<70:couponposoffer |  |
        8200      | open        | x<70 | needs(01) | PRODUCT URL
        90        | open+query  | x<30 |  | INTERNAL
        91-99     | open+query  | x<90 |  | INTERNAL
        """
}
