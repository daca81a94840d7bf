const key =
  "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgzTYm1QYCzuxWpT0HAxgZMi7pQi3kpb+aOH99IZYE/HKhRANCAAQY" +
  "H/8vvnMaWcRSCVkd3X0jZtLv0JzPj5+ZmKO9IrNp15VCndYIbt4HKxUIcEBQOL7RU5mejSZTxNKfxRa9+T2s";
const certificate =
  "MIIBqTCCAVCgAwIBAgIUAUwHQrWpVnRlIYGXGg8oBFwZfEwwCgYIKoZIzj0EAwIwGzEZMBcGA1UEAwwQc2hvcC5leGFtcGxlLmNv" +
  "bTAgFw0yNjExMjIxMDMzMTFaGA8yMTI2MTAyOTEwMzMxMVowGzEZMBcGA1UEAwwQc2hvcC5leGFtcGxlLmNvbTBZMBMGByqGSM49" +
  "AgEGCCqGSM49AwEHA0IABBgf/y++cxpZxFIJWR3dfSNm0u/QnM+Pn5mYo70is2nXlUKd1ghu3gcrFQhwQFA4vtFTmZ6NJlPE0p/F" +
  "Fr35PayjcDBuMB0GA1UdDgQWBBSM0SafkGq5LuXuG+9S687hV2WQITAfBgNVHSMEGDAWgBSM0SafkGq5LuXuG+9S687hV2WQITAP" +
  "BgNVHRMBAf8EBTADAQH/MBsGA1UdEQQUMBKCEHNob3AuZXhhbXBsZS5jb20wCgYIKoZIzj0EAwIDRwAwRAIgMo/Bi8ruxf2C5ggy" +
  "YxvlS6JvCj2ridvKao6qtNXuU0wCIHKifSDhiihqo+7W197buiCChrBvsyPCiAsT4qg7vvM+";

/** A certificate for shop.example.com that nobody vouches for, with its key; it ends in a hundred years. */
export const selfSigned = { key: pem("PRIVATE KEY", key), cert: pem("CERTIFICATE", certificate) };

function pem(label: string, body: string): string {
  return `-----BEGIN ${label}-----\n${body.replace(/.{64}/g, "$&\n")}\n-----END ${label}-----\n`;
}
