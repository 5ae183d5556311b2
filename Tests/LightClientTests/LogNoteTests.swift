import Encoding
import Foundation
import Ledger
import LedgerCrypto
import LightClient
import TestLedgers
import Testing

/// The bytes of a cosigned checkpoint and of a witness's verifier key, which come from anybody.
@Suite struct LogNoteTests {
    private static func fault(_ bytes: [UInt8]) -> WitnessFault? {
        do throws(WitnessFault) {
            _ = try LogNote(bytes)
            return nil
        } catch {
            return error
        }
    }

    private static func fault(_ text: String) -> WitnessFault? { fault(Array(text.utf8)) }

    @Test func noByteIsAltered() throws {
        let chain = TrustTests.chain(.ed25519SHA256)
        let witness = Outsider()
        let desk = try WitnessTests.Desk(chain, height: 8)
        let note = witness.note(chain.newest)
        #expect(desk.fault(note, [witness.cosigner]) == nil)
        for index in note.indices {
            for change in [1, 2, 0x20, 0x80] as [UInt8] {
                var altered = note
                altered[index] ^= change
                #expect(desk.fault(altered, [witness.cosigner]) != nil, "byte \(index)")
            }
            let cut = Array(note[..<index])
            #expect(desk.fault(cut, [witness.cosigner]) != nil)
            #expect(desk.fault(cut + note[index...].dropFirst(), [witness.cosigner]) != nil)
        }
        for byte in [UInt8(ascii: "\n"), UInt8(ascii: " "), 0] {
            #expect(desk.fault(note + [byte], [witness.cosigner]) != nil)
        }
    }

    @Test func theFormIsExact() throws {
        let chain = TrustTests.chain(.ed25519SHA256)
        let checkpoint = LogCheckpoint(witnessing: chain.newest)
        let signature = Outsider().cosignature(chain.newest).line
        let (origin, root) = (checkpoint.origin, Base64.encode(checkpoint.root.bytes))
        #expect(Self.fault("\(origin)\n8\n\(root)\n\n\(signature)") == nil)
        for size in ["08", "+8", "-8", "", " 8", "8 ", "18446744073709551616", "８", "0x8"] {
            #expect(
                Self.fault("\(origin)\n\(size)\n\(root)\n\n\(signature)") == .malformed(line: 2))
        }
        for wrong in [
            "", root.dropLast() + "", root + "=", Base64.encode([1, 2, 3]),
            Base64.encode([UInt8](repeating: 1, count: 33)), root.replacing("=", with: " "),
        ] {
            #expect(Self.fault("\(origin)\n8\n\(wrong)\n\n\(signature)") == .malformed(line: 3))
        }
        // No extension lines, no other line ends, nothing left out.
        #expect(
            Self.fault("\(origin)\n8\n\(root)\nextension\n\n\(signature)") == .malformed(line: 4))
        #expect(Self.fault("\(origin)\r\n8\n\(root)\n\n\(signature)") == .malformed(line: 1))
        #expect(Self.fault("\(origin)\n8\n\(root)\n\n\(signature)\n") == .malformed(line: 6))
        // As it is given to witnesses.
        #expect(Self.fault("\(origin)\n8\n\(root)\n\n") == .noCosignature)
        #expect(Self.fault(checkpoint.text) == .noCosignature)
        #expect(
            Self.fault("\(origin)\n8\n\(root)\n\n\(signature.dropLast())") == .malformed(line: 5))
        #expect(Self.fault([]) == .malformed(line: 1))
        #expect(Self.fault([0xFF, 0x0A]) == .malformed(line: 2))
        for origin in [
            "huijin/", "huijin/" + String(repeating: "0", count: 63), origin.uppercased(),
            "Huijin/\(chain.chain.hex)", "\(origin)/x", " \(origin)", "\u{301}",
        ] {
            #expect(Self.fault("\(origin)\n8\n\(root)\n\n\(signature)") == .otherOrigin(origin))
        }
        for line in [
            "- a \(Base64.encode([1, 2, 3, 4, 5]))", "\u{2014} a", "\u{2014}  AAAAAAA=",
            "\u{2014} a AAAA", "\u{2014} a b AAAAAAA=", "\u{2014} a AAAAAAB=", "\u{2014} a é",
        ] {
            #expect(Self.fault("\(origin)\n8\n\(root)\n\n\(line)\n") == .malformed(line: 5))
        }
    }

    @Test func muchIsNotRead() throws {
        let chain = TrustTests.chain(.ed25519SHA256)
        let witness = Outsider()
        let desk = try WitnessTests.Desk(chain, height: 8)
        let note = witness.note(chain.newest)
        // Signatures of others, of whatever type, are passed over.
        let long = "\u{2014} other.example \(Base64.encode([UInt8](repeating: 9, count: 4_000)))\n"
        #expect(desk.fault(note + long.utf8, [witness.cosigner]) == nil)
        let short = "\u{2014} other.example AAAAAAA=\n"
        let many = Array(String(repeating: short, count: LogNote.signaturesMax - 1).utf8)
        #expect(desk.fault(note + many, [witness.cosigner]) == nil)
        #expect(
            Self.fault(note + many + short.utf8)
                == .tooManySignatures(
                    found: LogNote.signaturesMax + 1, max: LogNote.signaturesMax))
        let wide = "\u{2014} o \(String(repeating: "A", count: LogNote.lineBytesMax))\n"
        #expect(
            Self.fault(note + wide.utf8) == .lineTooLong(line: 6, bytesMax: LogNote.lineBytesMax))
        let huge = [UInt8](repeating: UInt8(ascii: "\n"), count: LogNote.bytesMax + 1)
        #expect(
            Self.fault(huge) == .tooLarge(bytes: huge.count, bytesMax: LogNote.bytesMax))
        #expect(Self.fault(Array(huge.dropLast())) != nil)
    }

    @Test func aVerifierKeyHasOneForm() throws {
        let key = TestChain.key(.ed25519SHA256, 7).publicKey
        let text = Outsider.verifierKey("witness.example/w1", key)
        let cosigner = try #require(LogCosigner(verifierKey: text))
        #expect(cosigner.verifierKey == text && cosigner.key == key)
        // As validators are named in a policy.
        let chain = TrustTests.chain(.ed25519SHA256)
        let validator = LogCosigner(chain.validators.validators[0], chain: chain.chain)
        #expect(LogCosigner(verifierKey: validator.verifierKey) == validator)
        for index in text.utf8.indices {
            var altered = Array(text.utf8)
            altered[text.utf8.distance(from: text.startIndex, to: index)] ^= 1
            #expect(LogCosigner(verifierKey: String(decoding: altered, as: UTF8.self)) == nil)
        }
        let long = String(repeating: "w", count: LogCosigner.nameBytesMax)
        #expect(LogCosigner(verifierKey: Outsider.verifierKey(long, key)) != nil)
        for name in ["", "a b", "a\u{A0}b", "a\nb", "a\u{202E}b", long + "w"] {
            #expect(LogCosigner(verifierKey: Outsider.verifierKey(name, key)) == nil)
        }
        // A log's own key, and other types.
        for type in [1, 2, 5, 6] as [UInt8] {
            let other = Outsider.verifierKey("w", key, type: type)
            #expect(LogCosigner(verifierKey: other) == nil)
        }
        // Points that no voting key may be either: y = 1 and y = 0 are of small order.
        for first in [0, 1] as [UInt8] {
            let point = [first] + [UInt8](repeating: 0, count: 31)
            let named = Array("w\n".utf8) + [4] + point
            let hash = LedgerCrypto.Suite.ed25519SHA256.digest(named).bytes.prefix(4)
            let weak = "w+\(Hex.encode(Array(hash)))+\(Base64.encode([4] + point))"
            #expect(LogCosigner(verifierKey: weak) == nil)
        }
        for wrong in ["", "+", "++", "w+00000000+", text + "+", text + "\n", " " + text] {
            #expect(LogCosigner(verifierKey: wrong) == nil)
        }
    }
}
