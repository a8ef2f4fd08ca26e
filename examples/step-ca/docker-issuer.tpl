{ "subject": {{ toJson .Subject }}, "keyUsage": ["certSign", "crlSign"], "extKeyUsage": ["clientAuth"],
  "basicConstraints": { "isCA": true, "maxPathLen": 0 } }
