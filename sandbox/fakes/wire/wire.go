// Package wire writes and reads the little of Protocol Buffers that remote write and Loki's push are made of.
package wire

import (
	"encoding/binary"
	"errors"
	"math"
)

const (
	varint  = 0
	fixed64 = 1
	bytes   = 2
	fixed32 = 5
)

// Varint appends a field that is a whole number.
func Varint(to []byte, field int, value uint64) []byte {
	return binary.AppendUvarint(tag(to, field, varint), value)
}

// Double appends a field that is a floating-point number.
func Double(to []byte, field int, value float64) []byte {
	return binary.LittleEndian.AppendUint64(tag(to, field, fixed64), math.Float64bits(value))
}

// Bytes appends a field that is text or a message.
func Bytes[T string | []byte](to []byte, field int, value T) []byte {
	to = binary.AppendUvarint(tag(to, field, bytes), uint64(len(value)))
	return append(to, value...)
}

func tag(to []byte, field, kind int) []byte {
	return binary.AppendUvarint(to, uint64(field)<<3|uint64(kind))
}

var errShort = errors.New("message ends in the middle of a field")

// Each calls with every field of a message: its number, and its value as a number or as bytes.
func Each(message []byte, call func(field int, number uint64, value []byte) error) error {
	for len(message) > 0 {
		key, n := binary.Uvarint(message)
		if n <= 0 {
			return errShort
		}
		message = message[n:]
		var number uint64
		var value []byte
		switch key & 7 {
		case varint:
			if number, n = binary.Uvarint(message); n <= 0 {
				return errShort
			}
		case fixed64:
			if n = 8; len(message) < n {
				return errShort
			}
			number = binary.LittleEndian.Uint64(message)
		case fixed32:
			if n = 4; len(message) < n {
				return errShort
			}
			number = uint64(binary.LittleEndian.Uint32(message))
		case bytes:
			length, size := binary.Uvarint(message)
			if size <= 0 || length > uint64(len(message)-size) {
				return errShort
			}
			value, n = message[size:size+int(length)], size+int(length)
		default:
			return errors.New("field of a kind that Protocol Buffers do not have")
		}
		if err := call(int(key>>3), number, value); err != nil {
			return err
		}
		message = message[n:]
	}
	return nil
}
