import Encoding
import LedgerCrypto
import LightClient
import Records

extension HuijinClient {
    /// What a follower asks of one node, as the API has it.
    func call(_ what: Follower.Ask.What) -> (method: String, path: String, body: [UInt8]) {
        switch what {
        case .head(let epoch): return ("GET", "/v1/checkpoint/bundle?epochs=\(epoch)", [])
        case .bundle(let questions, let epoch):
            let (path, body) = bundleCall(questions, "epochs=\(epoch)")
            return ("POST", path, body)
        case .events(let asset, let log, let range):
            return (
                "GET",
                "/v1/assets/\(asset.hex)/events?log=\(log.name)&from=\(range.lowerBound)"
                    + "&to=\(range.upperBound)", []
            )
        }
    }

    /// Everything that a follower asks in one round, all at the same time; takes as long as the slowest, `timeoutMs` at most.
    ///
    /// - Parameter answerBytesMax: a longer answer is cut off and is none.
    public func answers(
        to asks: [Follower.Ask], answerBytesMax: Int
    ) async -> [Follower.Answer] {
        await withTaskGroup(of: (Int, Follower.Answer).self) { group in
            for (index, ask) in asks.enumerated() {
                group.addTask {
                    (index, await self.answer(to: ask, answerBytesMax: answerBytesMax))
                }
            }
            var answers: [Int: Follower.Answer] = [:]
            for await (index, answer) in group { answers[index] = answer }
            return asks.indices.map { index in
                guard let answer = answers[index] else {
                    preconditionFailure("every ask's task ends with an answer or none")
                }
                return answer
            }
        }
    }

    // Apart from the group's closure, as in `status(of:)`: release builds (Swift 6.3.1) lose what a typed catch inside it returns.
    private func answer(to ask: Follower.Ask, answerBytesMax: Int) async -> Follower.Answer {
        let (method, path, body) = call(ask.what)
        do throws(ClientError) {
            let answer = try await request(
                nodes[ask.provider], path, method: method, accept: "application/cbor", body: body,
                answerBytesMax: answerBytesMax)
            return .bytes(answer.body)
        } catch {
            let reason = FollowerAlert.reason(error)
            return error.isForbidden ? .forbidden(reason: reason) : .none(reason: reason)
        }
    }
}

extension FollowerAlert {
    /// A follower passes on one text, and puts it behind what it says in either language: the first line is the English reason,
    /// the second the Chinese one. Neither has a line's end in it.
    static func reason(_ error: ClientError) -> String {
        [error.english, error.chinese]
            .map { $0.replacing("\n", with: " ") }.joined(separator: "\n")
    }

    /// `texts`, in which the reason of a `HuijinClient` has the language of what stands before it.
    public var localTexts: Bilingual {
        let reasons: [Substring]
        switch self {
        case .silent(_, let reason), .unreadable(_, _, let reason):
            reasons = reason.split(separator: "\n")
        case .record, .event, .unseen, .rewritten, .epoch, .recovery, .fork, .oldFork, .refused,
            .behind, .well, .stale, .fresh:
            reasons = []
        }
        guard reasons.count == 2 else { return Bilingual(texts.english, texts.chinese) }
        return Bilingual(
            giving(String(reasons[0])).texts.english, giving(String(reasons[1])).texts.chinese)
    }

    /// `json`, with `localTexts`.
    public func localJSON(evidence: String?) -> JSONNode {
        let whole = json(evidence: evidence)
        guard case .object(let members) = whole else { return whole }
        let texts = localTexts
        return .object(
            members.map { member in
                member.name == "text"
                    ? JSONNode.Member("text", .both(texts.english, texts.chinese)) : member
            })
    }

    /// The same alert for another reason.
    private func giving(_ reason: String) -> FollowerAlert {
        switch self {
        case .silent(let provider, _): .silent(provider: provider, reason: reason)
        case .unreadable(let type, let id, _): .unreadable(type: type, id: id, reason: reason)
        case .record, .event, .unseen, .rewritten, .epoch, .recovery, .fork, .oldFork, .refused,
            .behind, .well, .stale, .fresh:
            self
        }
    }
}
