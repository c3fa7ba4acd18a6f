<?php
// A script of PHP that tells what it read.
$files = [];
foreach ($_FILES as $name => $file) {
    $digest = $file["error"] ? null : hash_file("sha256", $file["tmp_name"]);
    $told = ["filename" => $file["name"], "content_type" => $file["type"], "size" => $file["size"]];
    $files[$name] = $told + ["sha256" => $digest];
}
header("Content-Type: application/json");
echo json_encode(["form" => (object) $_POST, "files" => (object) $files, "args" => (object) $_GET], JSON_INVALID_UTF8_SUBSTITUTE);
