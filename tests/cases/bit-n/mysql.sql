CREATE TABLE masks (id int PRIMARY KEY, b2 bit(2), b8 bit(8), b9 bit(9), b64 bit(64));
INSERT INTO masks VALUES (1, b'01', b'00000001', b'100000001', b'1'), (2, b'11', 255, 511, ~0), (3, 0, 0, 0, 0),
  (4, NULL, NULL, NULL, NULL), (5, b'10', b'10000000', b'10', 1 << 63);
