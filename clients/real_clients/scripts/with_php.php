<?php
// PHP's curl extension: URL KIND.
[, $url, $kind] = $argv;
$fields = ["form" => [], "chunked" => ["Transfer-Encoding: chunked"], "expect" => ["Expect: 100-continue"]];
$handle = curl_init($url);
curl_setopt_array($handle, [
    CURLOPT_POST => true,
    CURLOPT_POSTFIELDS => [
        "note" => getenv("NOTE"),
        "plain" => new CURLFile(getenv("PLAIN")),
        "odd" => new CURLFile(getenv("ODD")),
    ],
    CURLOPT_HTTPHEADER => $fields[$kind],
    CURLOPT_RETURNTRANSFER => true,
]);
$answer = curl_exec($handle);
$status = curl_getinfo($handle, CURLINFO_RESPONSE_CODE);
if ($status !== 200) {
    fwrite(STDERR, "$status $answer " . curl_error($handle) . "\n");
    exit(1);
}
