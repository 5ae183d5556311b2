/// Says what happens, as a diagram with one column for each replica, one row at a time.
struct Transcript {
    private static let columnWidth = 34
    private static let timeWidth = 8

    let seats: Int
    private let print: ((String) -> Void)?

    /// - Parameter print: takes each row; nil for none, which costs nothing.
    init(seats: Int, print: ((String) -> Void)?) {
        self.seats = seats
        self.print = print
        print?(
            Transcript.pad("ms", Transcript.timeWidth)
                + (0..<seats).map { Transcript.pad("  v\($0)", Transcript.columnWidth) }.joined())
    }

    /// Something that concerns nobody alone.
    func note(_ atUs: UInt64, _ text: @autoclosure () -> String) {
        guard let print else { return }
        print(Transcript.stamp(atUs) + "  " + text())
    }

    func note(_ atUs: UInt64, _ seat: Int, _ text: @autoclosure () -> String) {
        guard let print else { return }
        let text = text()
        let width = Transcript.columnWidth
        let line = Transcript.pad("  │", width)
        let before = String(repeating: line, count: seat)
        // A long text runs over the columns after its own.
        let isShort = text.count + 2 <= width
        let after = isShort ? String(repeating: line, count: max(0, seats - seat - 1)) : ""
        print(
            Transcript.stamp(atUs) + before + "  " + Transcript.pad(text, width - 2) + after)
    }

    private static func stamp(_ atUs: UInt64) -> String { pad("\(atUs / 1_000)", timeWidth) }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
