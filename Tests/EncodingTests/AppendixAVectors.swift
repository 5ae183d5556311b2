import Encoding

/// RFC 8949 Appendix A: encodings and their diagnostic notation, as far as deterministic Huijin
/// CBOR accepts them. Bignums are tagged byte strings to us.
let acceptedVectors: [(hex: String, diagnostic: String)] = [
    ("00", "0"), ("01", "1"), ("0a", "10"), ("17", "23"), ("1818", "24"), ("1819", "25"),
    ("1864", "100"), ("1903e8", "1000"), ("1a000f4240", "1000000"),
    ("1b000000e8d4a51000", "1000000000000"), ("1bffffffffffffffff", "18446744073709551615"),
    ("c249010000000000000000", "2(h'010000000000000000')"),
    ("3bffffffffffffffff", "-18446744073709551616"),
    ("c349010000000000000000", "3(h'010000000000000000')"),
    ("20", "-1"), ("29", "-10"), ("3863", "-100"), ("3903e7", "-1000"),
    ("f4", "false"), ("f5", "true"), ("f6", "null"),
    ("c074323031332d30332d32315432303a30343a30305a", "0(\"2013-03-21T20:04:00Z\")"),
    ("c11a514b67b0", "1(1363896240)"), ("d74401020304", "23(h'01020304')"),
    ("d818456449455446", "24(h'6449455446')"),
    (
        "d82076687474703a2f2f7777772e6578616d706c652e636f6d",
        "32(\"http://www.example.com\")"
    ),
    ("40", "h''"), ("4401020304", "h'01020304'"), ("60", "\"\""), ("6161", "\"a\""),
    ("6449455446", "\"IETF\""), ("62225c", "\"\\\"\\\\\""), ("62c3bc", "\"ü\""),
    ("63e6b0b4", "\"水\""), ("64f0908591", "\"\u{10151}\""),
    ("80", "[]"), ("83010203", "[1, 2, 3]"), ("8301820203820405", "[1, [2, 3], [4, 5]]"),
    (
        "98190102030405060708090a0b0c0d0e0f101112131415161718181819",
        "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, "
            + "24, 25]"
    ),
    ("a0", "{}"), ("a201020304", "{1: 2, 3: 4}"),
    ("a26161016162820203", "{\"a\": 1, \"b\": [2, 3]}"),
    ("826161a161626163", "[\"a\", {\"b\": \"c\"}]"),
    (
        "a56161614161626142616361436164614461656145",
        "{\"a\": \"A\", \"b\": \"B\", \"c\": \"C\", \"d\": \"D\", \"e\": \"E\"}"
    ),
]

/// The kind of refusal, without its offset.
enum Refusal {
    case simple, indefinite, truncated, reserved, tooDeep
}

/// The rest of RFC 8949 Appendix A: floats, other simple values and indefinite lengths.
let refusedVectors: [(hex: String, refusal: Refusal)] = [
    ("f90000", .simple), ("f98000", .simple), ("f93c00", .simple), ("fb3ff199999999999a", .simple),
    ("f93e00", .simple), ("f97bff", .simple), ("fa47c35000", .simple), ("fa7f7fffff", .simple),
    ("fb7e37e43c8800759c", .simple), ("f90001", .simple), ("f90400", .simple),
    ("f9c400", .simple), ("fbc010666666666666", .simple), ("f97c00", .simple),
    ("f97e00", .simple), ("f9fc00", .simple), ("fa7f800000", .simple), ("fa7fc00000", .simple),
    ("faff800000", .simple), ("fb7ff0000000000000", .simple), ("fb7ff8000000000000", .simple),
    ("fbfff0000000000000", .simple), ("f7", .simple), ("f0", .simple), ("f8ff", .simple),
    ("c1fb41d452d9ec200000", .simple),
    ("5f42010243030405ff", .indefinite), ("7f657374726561646d696e67ff", .indefinite),
    ("9fff", .indefinite), ("9f018202039f0405ffff", .indefinite),
    ("9f01820203820405ff", .indefinite), ("83018202039f0405ff", .indefinite),
    ("83019f0203ff820405", .indefinite),
    ("9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff", .indefinite),
    ("bf61610161629f0203ffff", .indefinite), ("826161bf61626163ff", .indefinite),
    ("bf6346756ef563416d7421ff", .indefinite),
]

/// RFC 8949 Appendix F: bytes that are not well-formed CBOR at all.
let malformedVectors: [(hex: String, refusal: Refusal)] = [
    ("", .truncated), ("18", .truncated), ("19", .truncated), ("1a", .truncated),
    ("1b", .truncated), ("1901", .truncated), ("1a0102", .truncated),
    ("1b01020304050607", .truncated), ("38", .truncated), ("58", .truncated),
    ("78", .truncated), ("98", .truncated), ("9a01ff00", .truncated), ("b8", .truncated),
    ("d8", .truncated), ("41", .truncated), ("61", .truncated), ("420a", .truncated),
    ("81", .truncated), ("818181818181818181", .truncated), ("8200", .truncated),
    ("a1", .truncated), ("a20102", .truncated), ("a100", .truncated), ("a2000000", .truncated),
    ("c0", .truncated), ("1c", .reserved), ("1d", .reserved), ("1e", .reserved),
    ("3c", .reserved), ("3d", .reserved), ("3e", .reserved), ("5c", .reserved),
    ("5d", .reserved), ("5e", .reserved), ("7c", .reserved), ("7d", .reserved),
    ("7e", .reserved), ("9c", .reserved), ("9d", .reserved), ("9e", .reserved),
    ("bc", .reserved), ("bd", .reserved), ("be", .reserved), ("dc", .reserved),
    ("dd", .reserved), ("de", .reserved), ("fc", .reserved), ("fd", .reserved),
    ("fe", .reserved), ("f800", .simple), ("f801", .simple), ("f818", .simple),
    ("f81f", .simple), ("f8", .simple), ("f9", .simple), ("fa0000", .simple),
    ("ff", .indefinite), ("81ff", .indefinite), ("8200ff", .indefinite),
    ("a100ff", .indefinite), ("a20000ff", .truncated), ("1f", .indefinite),
    ("3f", .indefinite), ("df00", .indefinite), ("5f00ff", .indefinite),
    ("7f6100ff", .indefinite),
    ("8181818181818181818181818181818181818100", .tooDeep),
]
