import Client

enum JSONDocument {
    static func pretty(_ bytes: [UInt8]) throws -> String {
        try JSONValue.parse(bytes).pretty() + "\n"
    }
}
