import Policy
import Testing

@Suite struct PriceSplitTests {
    /// However a sum is cut into payments, each payee ends with the same total.
    @Test func anyBatchingPaysTheSame() throws {
        var random = SplitMix64(state: 7)
        for _ in 0..<500 {
            let split = try #require(PriceSplit(venueBasisPoints: random.next() % 10_001))
            let total = random.next() % 1_000_000_000
            let once = split.payment(fromFen: 0, toFen: total)
            var cuts = (0..<(random.next() % 20)).map { _ in random.next() % (total + 1) }
            cuts.append(total)
            cuts.sort()
            var paid: (venue: UInt64, provider: UInt64) = (0, 0)
            var from: UInt64 = 0
            for to in cuts {
                let part = split.payment(fromFen: from, toFen: to)
                #expect(part.venueFen + part.providerFen == to - from)
                paid.venue += part.venueFen
                paid.provider += part.providerFen
                from = to
            }
            #expect(paid.venue == once.venueFen && paid.provider == once.providerFen)
        }
    }

    @Test func theShareIsExactAtTheEdges() throws {
        let half = try #require(PriceSplit(venueBasisPoints: 250))
        #expect(half.venueShareFen(of: 39) == 0)
        #expect(half.venueShareFen(of: 40) == 1)
        for points in [0, 1, 9_999, 10_000] as [UInt64] {
            let split = try #require(PriceSplit(venueBasisPoints: points))
            let share = split.venueShareFen(of: .max)
            let exact = UInt64.max.multipliedFullWidth(by: points)
            let back = share.multipliedFullWidth(by: 10_000)
            #expect((back.high, back.low) <= (exact.high, exact.low))
            #expect(split.payment(fromFen: .max - 1, toFen: .max).venueFen <= 1)
        }
        #expect(PriceSplit(venueBasisPoints: 10_001) == nil)
    }

    /// Neither payee is ever owed less than nothing: no step of one fen moves a share back.
    @Test func sharesNeverShrink() throws {
        for points in stride(from: 0 as UInt64, through: 10_000, by: 37) {
            let split = try #require(PriceSplit(venueBasisPoints: points))
            for from in 0 as UInt64..<400 {
                let step = split.payment(fromFen: from, toFen: from + 1)
                #expect(step.venueFen <= 1 && step.venueFen + step.providerFen == 1)
            }
        }
    }
}

struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
