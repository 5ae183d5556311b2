import Ledger
import Policy
import Records

/// The forms of member ids that can be enrolled.
enum MemberNames {
    /// A unified social credit code, or `TYPE:number` for an organisation from elsewhere.
    ///
    /// - Throws: `badChecksum` for 18 characters that are no such code (GB 32100), `valueNotAllowed` for other forms.
    static func check(_ id: MemberID) throws(OutcomeCode) {
        let parts = id.text.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty { return }
        guard id.text.utf8.count == SocialCreditCode.characterCount, parts.count == 1 else {
            throw .valueNotAllowed
        }
        guard (try? SocialCreditCode(id.text)) != nil else { throw .badChecksum }
    }
}
