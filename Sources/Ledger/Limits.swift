import Encoding

/// Limits that no genesis can raise: they bound what a decoder will look at before any parameter is known.
public enum LedgerLimits {
    public static let validatorsMax = 128
    public static let transactionBytesMax = 65_536
    public static let blockBytesMax = 8_388_608
    public static let entriesPerBlockMax = 65_536
    public static let memberIDBytesMax = 64
    public static let nonceBytes = 16
    public static let genesisBytesMax = 4_194_304
    /// Transactions under one batch root; fewer than two have nothing to share.
    public static let batchSizes = 2...1_024
    /// Digests on the path of one of them to the root: log2 of the most transactions.
    public static let batchPathMax = 10

    /// For one envelope, with what COSE adds to the transaction.
    public static let envelope = CBORLimits(
        bytesMax: transactionBytesMax + 4_096, depthMax: 16, itemsMax: 4_096,
        stringBytesMax: transactionBytesMax)
    /// For a block body, a proposal and the peer messages that carry them.
    public static let block = CBORLimits(
        bytesMax: blockBytesMax + 65_536, depthMax: 24, itemsMax: entriesPerBlockMax,
        stringBytesMax: blockBytesMax)
    /// For headers, votes and certificates.
    public static let certificate = CBORLimits(
        bytesMax: 65_536, depthMax: 8, itemsMax: 256, stringBytesMax: 4_096)
    public static let genesis = CBORLimits(
        bytesMax: genesisBytesMax, depthMax: 16, itemsMax: 65_536, stringBytesMax: 1_048_576)
}
