// A biller on the HTTP server that comes with the JDK. Run as a single file.
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public class HttpServerBiller {
    private static final Pattern FORM = Pattern.compile("\"biller_user_key\":\"(\\w+)\\.(\\w+)\\.(\\w+)");
    private static final Pattern PAY_ID = Pattern.compile("\"pay_id\":(\\d+)");

    public static void main(String[] arguments) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 0);
        server.createContext("/", HttpServerBiller::answer);
        server.setExecutor(Executors.newCachedThreadPool());
        server.start();
    }

    private static void answer(HttpExchange exchange) throws IOException {
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        Matcher form = FORM.matcher(body);
        if (!form.find()) {
            exchange.sendResponseHeaders(400, -1);
            return;
        }
        Matcher payId = PAY_ID.matcher(body);
        if (payId.find()) {
            synchronized (HttpServerBiller.class) {
                Files.writeString(Path.of("@HEARD@"), payId.group(1) + "\n",
                        StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            }
        }
        byte[] answer = Files.readAllBytes(Path.of("@ANSWERS@", form.group(1)));
        boolean isPage = form.group(1).equals("page");
        exchange.getResponseHeaders().set("Content-Type", isPage ? "text/html" : "application/json;charset=utf-8");
        if (form.group(3).equals("close")) {
            exchange.getResponseHeaders().set("Connection", "close");
        }
        // A length of zero means: chunks.
        exchange.sendResponseHeaders(isPage ? 500 : 200, form.group(2).equals("length") ? answer.length : 0);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(answer, 0, answer.length / 2);
            out.flush();
            out.write(answer, answer.length / 2, answer.length - answer.length / 2);
        }
    }
}
