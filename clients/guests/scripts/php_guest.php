<?php
// PHP: $_POST and $_FILES.
function entries($name, $file) {
    if (is_array($file["name"])) {
        $found = [];
        foreach ($file["name"] as $key => $_) {
            $one = array_map(fn ($values) => $values[$key], $file);
            array_push($found, ...entries("{$name}[$key]", $one));
        }
        return $found;
    }
    $digest = $file["error"] ? null : hash_file("sha256", $file["tmp_name"]);
    return [["name" => $name, "filename" => $file["name"], "content_type" => $file["type"], "size" => $file["size"], "sha256" => $digest]];
}
$files = [];
foreach ($_FILES as $name => $file) {
    array_push($files, ...entries((string) $name, $file));
}
$is_json = str_starts_with($_SERVER["CONTENT_TYPE"] ?? "", "application/json");
$body = $is_json ? json_decode(file_get_contents("php://input")) : null;
http_response_code($is_json && json_last_error() ? 400 : 200);
header("Content-Type: application/json");
echo json_encode(["form" => (object) $_POST, "files" => $files, "json" => $body], JSON_INVALID_UTF8_SUBSTITUTE | JSON_PARTIAL_OUTPUT_ON_ERROR);
