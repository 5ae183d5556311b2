import NIOCore

/// The longest payload of a connection's next frame: short for the hello of a side that is not yet known.
///
/// Confined to that connection's event loop.
package final class FrameLimit {
    package var bytesMax: Int

    package init(bytesMax: Int) { self.bytesMax = bytesMax }
}

/// Splits a connection's bytes into frames: a 4-byte big-endian length, then the payload.
///
/// An empty frame is a keepalive. The length is judged before anything of the payload is kept, so a peer makes this
/// side hold at most one frame of `bytesMax` and what the socket delivered with it.
package struct FrameDecoder: ByteToMessageDecoder {
    package typealias InboundOut = [UInt8]

    private let limit: FrameLimit

    package init(_ limit: FrameLimit) {
        self.limit = limit
    }

    static let lengthBytes = 4

    package mutating func decode(
        context: ChannelHandlerContext, buffer: inout ByteBuffer
    ) throws -> DecodingState {
        guard
            let length = buffer.getInteger(at: buffer.readerIndex, as: UInt32.self).map(Int.init)
        else { return .needMoreData }
        guard length <= limit.bytesMax else {
            throw NetworkProblem.frameTooLarge
        }
        guard buffer.readableBytes >= FrameDecoder.lengthBytes + length else {
            return .needMoreData
        }
        buffer.moveReaderIndex(forwardBy: FrameDecoder.lengthBytes)
        guard let payload = buffer.readBytes(length: length) else { return .needMoreData }
        context.fireChannelRead(Self.wrapInboundOut(payload))
        return .continue
    }

    package mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState {
        try decode(context: context, buffer: &buffer)
    }

    /// A payload with its length in front, ready to be shared by all peers that it is sent to.
    package static func frame(_ payload: [UInt8]) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: lengthBytes + payload.count)
        buffer.writeInteger(UInt32(payload.count))
        buffer.writeBytes(payload)
        return buffer
    }
}
