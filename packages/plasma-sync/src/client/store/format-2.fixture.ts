// Owns: a database of format 2 (with files, and a record per row), as the code of that time wrote it: an export, line by line.
// Never changed: it is what lies on devices.

export const format2: readonly string[] = [
  '{"plasma":"local-data","exportVersion":1,"database":"plasma:old:ada","formatVersion":2,"exportedAt":"2026-11-27T07:19:07.223Z","stores":[{"name":"blobChunks","count":0,"isLeftOut":true,"keyPath":null,"autoIncrement":false,"indexes":[]},{"name":"blobWrites","count":0,"isLeftOut":false,"keyPath":"writeID","autoIncrement":false,"indexes":[]},{"name":"blobs","count":0,"isLeftOut":false,"keyPath":"hash","autoIncrement":false,"indexes":[{"name":"byWaiting","keyPath":"waitingSince","unique":false,"multiEntry":false}]},{"name":"clients","count":2,"isLeftOut":false,"keyPath":"clientID","autoIncrement":false,"indexes":[]},{"name":"meta","count":1,"isLeftOut":false,"keyPath":null,"autoIncrement":false,"indexes":[]},{"name":"outbox","count":2,"isLeftOut":false,"keyPath":"order","autoIncrement":false,"indexes":[{"name":"byClient","keyPath":["clientID","id"],"unique":true,"multiEntry":false}]},{"name":"rows","count":10,"isLeftOut":false,"keyPath":null,"autoIncrement":false,"indexes":[]}],"storage":{"usageBytes":null,"quotaBytes":null,"persisted":null}}',
  '{"store":"clients","key":"other","value":{"clientID":"other","lastID":1}}',
  '{"store":"clients","key":"tab","value":{"clientID":"tab","lastID":2}}',
  '{"store":"meta","key":"replica","value":{"replicaID":"00000000-0000-4000-8000-000000000002","schemaVersion":"1","seq":4,"epoch":1,"nextOrder":4,"cookie":"cookie-2","firstSync":{"done":true,"rows":11},"refused":[{"clientID":"other","id":9,"code":"mutation/app","message":"no"}]}}',
  '{"store":"outbox","key":2,"value":{"clientID":"tab","id":2,"name":"addNote","args":{"title":"tab 2","amount":{"$$bigint":"7"}},"timestamp":1002,"seed":"tab2","base":null,"schemaVersion":"1","files":["aa"],"order":2}}',
  '{"store":"outbox","key":3,"value":{"clientID":"other","id":1,"name":"addNote","args":{"title":"other 1","amount":{"$$bigint":"7"}},"timestamp":1001,"seed":"other1","base":null,"schemaVersion":"1","order":3}}',
  '{"store":"rows","key":["measures","m"],"value":{"id":"m","big":{"$bigint":"9223372036854775807"},"bytes":{"$bytes":"AP8H"},"amount":0.5,"count":3,"tree":{"list":[1,null,"x"]}}}',
  '{"store":"rows","key":["notes",""],"value":{"id":"","title":"note "}}',
  '{"store":"rows","key":["notes","A"],"value":{"id":"A","title":"note A"}}',
  '{"store":"rows","key":["notes","a"],"value":{"id":"a","title":"note a"}}',
  '{"store":"rows","key":["notes","n1"],"value":{"id":"n1","title":"note n1"}}',
  '{"store":"rows","key":["notes","n2"],"value":{"id":"n2","title":"changed"}}',
  '{"store":"rows","key":["notes","\u00e4"],"value":{"id":"\u00e4","title":"note \u00e4"}}',
  '{"store":"rows","key":["notes","\u65e5\u672c"],"value":{"id":"\u65e5\u672c","title":"note \u65e5\u672c"}}',
  '{"store":"rows","key":["notes","\ud83d\udc69\u200d\ud83d\udc67"],"value":{"id":"\ud83d\udc69\u200d\ud83d\udc67","title":"note \ud83d\udc69\u200d\ud83d\udc67"}}',
  '{"store":"rows","key":["notes","\uffff"],"value":{"id":"\uffff","title":"note \uffff"}}',
  '{"end":true,"records":15}',
];
