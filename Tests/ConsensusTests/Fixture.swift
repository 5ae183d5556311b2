import Consensus
import Encoding
import Ledger
import LedgerCrypto

/// Validators whose votes are checked with keyed digests, so that a test can make any vote at no cost.
struct Fixture {
    let suite = Suite.ed25519SHA256
    let authority: VoteAuthority
    let validators: ValidatorSet

    init(count: Int = 4) {
        let suite = suite
        let seats = (0..<count).map { seat in
            Validator(
                member: MemberID("VALIDATOR-\(seat)").unsafelyUnwrapped,
                votingKey: SigningKey.fixed(UInt8(seat + 1)).publicKey, transportKey: [UInt8(seat)])
        }
        validators = ValidatorSet(epoch: 0, validators: seats).unsafelyUnwrapped
        authority = VoteAuthority(chain: suite.digest([0]), validators: validators) {
            $0.signature == Fixture.signature($0.statement, $0.validator)
        }
    }

    static func signature(_ statement: VoteStatement, _ seat: Int) -> [UInt8] {
        let digest = Suite.ed25519SHA256.digest(statement.encoded + [UInt8(seat)]).bytes
        return digest + digest
    }

    /// The block at a height, one for each letter.
    func block(_ height: UInt64, _ letter: String = "a") -> VoteSubject {
        let name = Array("\(height)\(letter)".utf8)
        return VoteSubject(
            height: height, header: suite.digest(name), logRoot: suite.digest([1] + name))
    }

    var genesis: FinalPoint {
        FinalPoint(view: 0, subject: block(0), certificate: nil)
    }

    func vote(_ statement: VoteStatement, _ seat: Int) -> Verified<Vote> {
        Verified(
            assumingValid: Vote(
                statement: statement, validator: seat,
                signature: Fixture.signature(statement, seat)))
    }

    func certificate(_ statement: VoteStatement, _ seats: [Int] = [0, 1, 2]) -> Verified<
        Certificate
    > {
        Certificate.assemble(seats.map { vote(statement, $0) }, quorum: validators.quorum)
            .unsafelyUnwrapped
    }

    func core(
        seat: Int? = 0, recovered: [VoteStatement] = [], standing: SafetyRules.Standing = .voting
    ) -> Simplex {
        var core = Simplex(
            authority: authority, seat: seat, final: genesis, recovered: recovered,
            standing: standing)
        core.start()
        return core
    }

    func notarize(_ view: UInt64, _ subject: VoteSubject) -> VoteStatement {
        .notarize(epoch: 0, view: view, subject)
    }

    func nullify(_ view: UInt64) -> VoteStatement { .nullify(epoch: 0, view: view) }

    func finalize(_ view: UInt64, _ subject: VoteSubject) -> VoteStatement {
        .finalize(epoch: 0, view: view, subject)
    }
}

extension SigningKey {
    static func fixed(_ number: UInt8) -> SigningKey {
        // 32 bytes are an Ed25519 seed.
        (try? SigningKey(suite: .ed25519SHA256, secret: [UInt8](repeating: number, count: 32)))
            .unsafelyUnwrapped
    }
}

/// SplitMix64.
struct Dice {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
    }
}
